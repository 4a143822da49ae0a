#include "base/logind.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

static const char service[] = "org.freedesktop.login1", path[] = "/org/freedesktop/login1",
		  manager[] = "org.freedesktop.login1.Manager";

struct logind {
	sd_bus *bus;
	sd_bus_slot *slot;
	int lock; /* -1: not held */
	bool preparing;
};

static int
trouble(struct err *err, int r, const sd_bus_error *e, const char *what)
{
	return err_set(
	    err, ERR_UNAVAILABLE, "%s: %s", what, e && e->message ? e->message : strerror(-r));
}

static int
heard(sd_bus_message *m, void *arg, sd_bus_error *ignored)
{
	struct logind *l = arg;
	int on;

	(void)ignored;
	if (sd_bus_message_read(m, "b", &on) >= 0)
		l->preparing = on != 0;
	return 0;
}

static int
get_property(struct logind *l, const char *name, char type, void *ret, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = sd_bus_get_property_trivial(l->bus, service, path, manager, name, &e, type, ret);

	if (r < 0)
		r = trouble(err, r, &e, "cannot ask logind");
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}

int
logind_open(struct logind **ret, struct err *err)
{
	struct logind *l = xcalloc(1, sizeof *l);
	int r, on = 0;

	l->lock = -1;
	if ((r = sd_bus_open_system(&l->bus)) < 0)
		r = trouble(err, r, NULL, "cannot reach the system bus");
	else if ((r = sd_bus_match_signal(l->bus, &l->slot, service, path, manager,
		      "PrepareForShutdown", heard, l)) < 0)
		r = trouble(err, r, NULL, "cannot listen to logind");
	else if ((r = get_property(l, "PreparingForShutdown", 'b', &on, err)) == 0)
		l->preparing = l->preparing || on;
	if (r < 0) {
		logind_close(l);
		return r;
	}
	*ret = l;
	return 0;
}

void
logind_close(struct logind *l)
{
	if (!l)
		return;
	logind_release(l);
	sd_bus_slot_unref(l->slot);
	sd_bus_flush_close_unref(l->bus);
	free(l);
}

int
logind_hold(struct logind *l, const char *who, const char *why, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int fd, r = sd_bus_call_method(l->bus, service, path, manager, "Inhibit", &e, &reply,
		    "ssss", "shutdown", who, why, "delay");

	if (r >= 0 && (r = sd_bus_message_read(reply, "h", &fd)) >= 0) {
		int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

		if (copy < 0) {
			r = -errno;
		} else {
			logind_release(l);
			l->lock = copy;
		}
	}
	if (r < 0)
		r = trouble(err, r, &e, "cannot take the lock");
	sd_bus_error_free(&e);
	sd_bus_message_unref(reply);
	return r < 0 ? r : 0;
}

void
logind_release(struct logind *l)
{
	if (l->lock >= 0)
		close(l->lock);
	l->lock = -1;
}

bool
logind_holds(const struct logind *l)
{
	return l->lock >= 0;
}

int
logind_fd(const struct logind *l)
{
	return sd_bus_get_fd(l->bus);
}

int
logind_events(const struct logind *l)
{
	return sd_bus_get_events(l->bus);
}

int
logind_wait(const struct logind *l)
{
	uint64_t until, now;
	struct timespec ts;

	if (sd_bus_get_timeout(l->bus, &until) < 0 || until == UINT64_MAX)
		return -1;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
	return until <= now ? 0 : (int)((until - now) / 1000 + 1);
}

int
logind_step(struct logind *l, struct err *err)
{
	int r;

	while ((r = sd_bus_process(l->bus, NULL)) > 0)
		;
	return r < 0 ? trouble(err, r, NULL, "lost the system bus") : 0;
}

bool
logind_shutting_down(const struct logind *l)
{
	return l->preparing;
}

int
logind_delay(struct logind *l, double *ret, struct err *err)
{
	uint64_t us;
	int r = get_property(l, "InhibitDelayMaxUSec", 't', &us, err);

	if (r == 0)
		*ret = us == UINT64_MAX ? INFINITY : (double)us / 1e6;
	return r;
}

static int
write_settings(const char *file, double seconds, struct err *err)
{
	autofree char *copy = xstrdup(file);
	char *slash = strrchr(copy, '/');
	autofclose FILE *f = NULL;

	if (slash && slash != copy) {
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return err_sys(err, errno, "cannot make '%s'", copy);
	}
	if (!(f = fopen(file, "we")) ||
	    fprintf(f, "[Login]\nInhibitDelayMaxSec=%.0f\n", ceil(seconds)) < 0 || fflush(f) != 0)
		return err_sys(err, errno, "cannot write '%s'", file);
	return 0;
}

/* logind reads its settings again at SIGHUP; systemd knows which process it is. */
int
logind_set_delay(struct logind *l, const char *file, double seconds, struct err *err)
{
	sd_bus_error e = SD_BUS_ERROR_NULL;
	int r = write_settings(file, seconds, err);

	if (r < 0)
		return r;
	r = sd_bus_call_method(l->bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
	    "org.freedesktop.systemd1.Manager", "KillUnit", &e, NULL, "ssi",
	    "systemd-logind.service", "all", SIGHUP);
	if (r < 0)
		r = trouble(err, r, &e, "cannot have logind read its settings");
	sd_bus_error_free(&e);
	return r < 0 ? r : 0;
}
