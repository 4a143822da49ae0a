/* Times and ages, against what Kubernetes prints. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/time.h"

static int failed;

static void
same(const char *what, const char *got, const char *want)
{
	if (strcmp(got, want) == 0)
		return;
	printf("time: %s: got '%s', want '%s'\n", what, got, want);
	failed = 1;
}

static void
ages(void)
{
	static const struct {
		int64_t seconds;
		const char *want;
	} t[] = { { -2, "<invalid>" }, { -1, "0s" }, { 0, "0s" }, { 119, "119s" }, { 120, "2m" },
		{ 200, "3m20s" }, { 600, "10m" }, { 659, "10m" }, { 10799, "179m" },
		{ 10800, "3h" }, { 11100, "3h5m" }, { 28800, "8h" }, { 172799, "47h" },
		{ 172800, "2d" }, { 187200, "2d4h" }, { 691200, "8d" }, { 3542400, "41d" },
		{ 62985600, "729d" }, { 63072000, "2y" }, { 95644800, "3y12d" },
		{ 252288000, "8y" } };
	char buf[TIME_TEXT];

	for (size_t i = 0; i < COUNT(t); i++)
		same("duration_print", duration_print(t[i].seconds, buf), t[i].want);
}

static void
texts(void)
{
	static const char *const good[] = { "2026-01-02T03:04:05Z", "1970-01-01T00:00:00Z",
		"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-02-29T12:00:00Z" };
	static const char *const bad[] = { "", "2026-01-02", "2026-01-02T03:04:05",
		"2026-13-02T03:04:05Z", "2023-02-29T00:00:00Z", "2026-01-02T24:00:00Z",
		"2026-01-02 03:04:05Z", "2026-01-02T03:04:05Zx", "2026-1-02T03:04:05Z",
		"2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+0100", "2026-00-02T03:04:05Z",
		"2026-01-00T03:04:05Z", "2026-01-02T03:04:60Z" };
	char buf[TIME_TEXT];
	int64_t s, us;

	for (size_t i = 0; i < COUNT(good); i++)
		same("round trip", time_parse(good[i], &s) ? time_print(s, buf) : "refused",
		    good[i]);
	for (size_t i = 0; i < COUNT(bad); i++)
		same(bad[i], time_parse(bad[i], &s) ? "accepted" : "", "");
	time_parse("2026-01-02T03:04:05.999+01:30", &s);
	same("offset", time_print(s, buf), "2026-01-02T01:34:05Z");
	time_parse_micro("2026-01-02T03:04:05.1234567-02:00", &us);
	same("micro", time_print_micro(us, buf), "2026-01-02T05:04:05.123456Z");
	same("before 1970", time_print_micro(-1, buf), "1969-12-31T23:59:59.999999Z");
	time_parse("1969-12-31T23:59:59.5Z", &s);
	same("before 1970", time_print(s, buf), "1969-12-31T23:59:59Z");
}

int
main(void)
{
	ages();
	texts();
	return failed;
}
