#include "base/terminal.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;
static volatile sig_atomic_t raw_fd = -1;

void
terminal_restore(void)
{
	int fd = raw_fd;

	raw_fd = -1;
	if (fd >= 0)
		tcsetattr(fd, TCSADRAIN, &before); /* async-signal-safe by POSIX */
}

/* SA_RESETHAND: the second time it ends us. */
static void
ends(int sig)
{
	terminal_restore();
	raise(sig);
}

int
terminal_raw(int fd, struct err *err)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	struct sigaction action = { .sa_handler = ends, .sa_flags = (int)SA_RESETHAND };
	struct termios raw;

	if (tcgetattr(fd, &before) < 0)
		return err_sys(err, errno, "cannot use the terminal");
	raw = before;
	cfmakeraw(&raw);
	raw_fd = fd;
	atexit(terminal_restore);
	for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
		struct sigaction old;

		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(ending[i], &action, NULL);
	}
	if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
		return err_sys(err, errno, "cannot use the terminal");
	return 0;
}

int
terminal_resizes(struct err *err)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(err, errno, "cannot watch the terminal's size") : fd;
}

void
terminal_size(int resizes, unsigned *rows, unsigned *columns)
{
	struct signalfd_siginfo told;
	struct winsize size;

	while (resizes >= 0 && read(resizes, &told, sizeof told) > 0)
		;
	for (int fd = 0; fd <= 2; fd++)
		if (ioctl(fd, TIOCGWINSZ, &size) == 0) {
			*rows = size.ws_row;
			*columns = size.ws_col;
			return;
		}
	*rows = *columns = 0;
}
