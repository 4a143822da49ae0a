#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "api/meta.h"
#include "base/buf.h"
#include "base/mem.h"
#include "client/credential.h"

enum { MAX_REPLY = 1 << 20, MAX_WORDS = 256 };

extern char **environ;

static json_t *
exec_info(const json_t *exec)
{
	return json_pack("{s:s, s:s, s:{s:b}}", "apiVersion", text(exec, "apiVersion"), "kind",
	    "ExecCredential", "spec", "interactive", 0);
}

/* Our environment, KUBERNETES_EXEC_INFO and the pairs of exec.env. NULL-terminated; the strings
 * made here start at *own. */
static char **
environment(const json_t *exec, size_t *own)
{
	json_auto_t *info = exec_info(exec);
	autofree char *info_text = json_dumps(info, JSON_COMPACT);
	size_t n = 0, i;
	json_t *pair;
	char **env;

	while (environ[n])
		n++;
	env = xcalloc(n + json_array_size(get(exec, "env")) + 2, sizeof *env);
	memcpy(env, environ, n * sizeof *env);
	*own = n;
	env[n++] = xasprintf("KUBERNETES_EXEC_INFO=%s", info_text);
	json_array_foreach (get(exec, "env"), i, pair)
		env[n++] = xasprintf("%s=%s", text(pair, "name"), text(pair, "value"));
	return env;
}

/* Run argv and gather its stdout. */
static int
run(const char *file, char *const argv[], char *const env[], struct buf *out, struct err *err)
{
	posix_spawn_file_actions_t actions;
	int fds[2], r, status;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(err, errno, "cannot run '%s'", file);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	r = posix_spawnp(&pid, file, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (r != 0) {
		close(fds[0]);
		return err_set(err, ERR_UNAUTHORIZED, "cannot run '%s': %s", file, strerror(r));
	}
	r = buf_read_fd(out, fds[0], MAX_REPLY, err);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r < 0)
		return err_wrap(err, "'%s'", file);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_UNAUTHORIZED, "'%s' failed with status %d", file,
		    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

static int
take(struct endpoint *e, const char *reply, const char *file, struct err *err)
{
	json_auto_t *cred = json_loads(reply, 0, NULL);
	const char *token = text(cred, "status", "token");
	const char *cert = text(cred, "status", "clientCertificateData");
	const char *key = text(cred, "status", "clientKeyData");
	int r = 0;

	if (!*token && !(*cert && *key))
		return err_set(
		    err, ERR_UNAUTHORIZED, "'%s' printed no ExecCredential with a status", file);
	if (*token) {
		free(e->token);
		e->token = xstrdup(token);
	}
	if (*cert && *key && (r = secret_from_bytes(&e->cert, cert, strlen(cert), err)) == 0)
		r = secret_from_bytes(&e->key, key, strlen(key), err);
	return r;
}

int
credential_exec(struct endpoint *e, const json_t *exec, const char *dir, struct err *err)
{
	const char *command = text(exec, "command");
	bool relative = strchr(command, '/') && *command != '/' && *dir;
	autofree char *file = relative ? xasprintf("%s/%s", dir, command) : xstrdup(command);
	autobuf struct buf out = BUF_INIT;
	char *argv[MAX_WORDS + 2], **env;
	size_t n = 0, i, own;
	json_t *word;
	int r;

	if (!*command)
		return err_set(err, ERR_BAD_REQUEST, "exec names no command");
	argv[n++] = file;
	json_array_foreach (get(exec, "args"), i, word)
		if (n <= MAX_WORDS)
			argv[n++] = (char *)str(word, "");
	argv[n] = NULL;
	env = environment(exec, &own);
	r = run(file, argv, env, &out, err);
	for (; env[own]; own++)
		free(env[own]);
	free(env);
	return r < 0 ? r : take(e, out.data ? out.data : "", file, err);
}
