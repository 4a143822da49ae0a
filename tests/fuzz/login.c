/* What a registry asks for by WWW-Authenticate, what logins there are, and rules for registries. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "api/meta.h"
#include "base/mem.h"
#include "node/credentials.h"
#include "node/registry_rules.h"
#include "node/registry_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
challenge(const char *text)
{
	static const char *const keys[] = { "realm", "service", "scope" };

	for (size_t i = 0; i < COUNT(keys); i++) {
		autofree char *value = challenge_parameter(text, keys[i]);

		if (value && (strchr(value, '"') || !strstr(text, value)))
			abort();
	}
}

static void
logins(const char *text)
{
	json_auto_t *doc = json_loads(text, 0, NULL), *found = NULL;
	json_t *docs = doc ? json_pack("[O]", doc) : NULL, *login;
	size_t i;

	found = credentials_find("reg.example.org:5000", "team/web", docs, "/nonexistent");
	json_array_foreach (found, i, login)
		if (strncmp(str(login, ""), "Basic ", 6) != 0 || strpbrk(str(login, ""), "\r\n"))
			abort(); /* it becomes a header */
	json_decref(docs);
}

static void
rules(const uint8_t *data, size_t size)
{
	int fd = memfd_create("rules", MFD_CLOEXEC);
	autofree char *path = xasprintf("/proc/self/fd/%d", fd);
	struct endpoints e = { 0 };
	struct err err;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (endpoints_find(&e, path, true, "example.org", false, &err) == 0 && e.n == 0)
		abort(); /* the registry itself at least */
	for (size_t i = 0; i < e.n; i++)
		if (strncmp(e.item[i].root, "http", 4) != 0)
			abort();
	endpoints_release(&e);
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	autofree char *text = xstrndup((const char *)data, size);

	challenge(text);
	logins(text);
	rules(data, size);
	return 0;
}
