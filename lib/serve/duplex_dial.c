/* Connecting to somebody else's server, with TLS, a pinned key or a certificate to be trusted. */
#include <errno.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/duplex_private.h"
#include "serve/tls.h"

/* "10.0.0.1:80", "[fd00::1]:80" */
static const char *
name_of(const char *host, int port, char buf[static 300])
{
	bool six = strchr(host, ':') != NULL;

	snprintf(buf, 300, "%s%.256s%s:%d", six ? "[" : "", host, six ? "]" : "", port);
	return buf;
}

static int
wait_for(int fd, short events, double until)
{
	struct pollfd f = { .fd = fd, .events = events };
	double left = until - clock_monotonic();

	return left <= 0 ? 0 : poll(&f, 1, (int)(left * 1000) + 1);
}

/* A connected socket, or -errno. */
static int
connect_one(const struct addrinfo *a, double until)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	socklen_t size = sizeof(int);
	int fault = 0, on = 1;

	if (fd < 0)
		return -errno;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(fd, a->ai_addr, a->ai_addrlen) < 0)
		fault = errno;
	if (fault == EINPROGRESS) {
		if (wait_for(fd, POLLOUT, until) <= 0)
			fault = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size) < 0)
			fault = errno;
	}
	if (!fault)
		return fd;
	close(fd);
	return -fault;
}

static const char *
words(int fault, char buf[static 128])
{
	if (fault == ECONNREFUSED)
		return "connect: connection refused";
	if (fault == EHOSTUNREACH)
		return "connect: no route to host";
	if (fault == ENETUNREACH)
		return "connect: network is unreachable";
	if (fault == ETIMEDOUT)
		return "i/o timeout";
	return strerror_r(fault, buf, 128);
}

static int
connect_any(const char *host, int port, double until, struct err *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	char service[16], who[300], why[128];
	int fd = -EHOSTUNREACH, code;

	snprintf(service, sizeof service, "%d", port);
	if ((code = getaddrinfo(host, service, &hints, &list)) != 0)
		return err_set(err, ERR_UNAVAILABLE, "dial tcp: lookup %s: %s", host,
		    code == EAI_NONAME ? "no such host" : gai_strerror(code));
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = connect_one(a, until);
	freeaddrinfo(list);
	if (fd >= 0)
		return fd;
	return err_set(
	    err, ERR_UNAVAILABLE, "dial tcp %s: %s", name_of(host, port, who), words(-fd, why));
}

/* Is the peer's key the one we were told of? */
static int
check_pin(struct gnutls_session_int *s, const char *pin, struct err *err)
{
	char hex[TLS_PIN];
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(s, &n);

	if (!pin)
		return 0;
	if (!list || n == 0 || tls_pin_of(list[0].data, list[0].size, hex) < 0)
		return err_set(err, ERR_FORBIDDEN, "tls: the server shows no usable certificate");
	if (strcasecmp(hex, pin) != 0)
		return err_set(
		    err, ERR_FORBIDDEN, "tls: the server's key is not the one it is known by");
	return 0;
}

/* --- trust --- */

/* The names that a certificate is for, as a message shows them. */
static void
add_names(struct buf *out, const gnutls_datum_t *der)
{
	gnutls_x509_crt_t crt;
	char name[512];

	if (gnutls_x509_crt_init(&crt) < 0)
		return;
	if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) == 0)
		for (unsigned i = 0; i < 100 && out->len < 300; i++) {
			size_t len = sizeof name;
			int r = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &len, NULL);

			if (r < 0)
				break;
			if (r == GNUTLS_SAN_DNSNAME)
				buf_printf(out, "%s%.*s", out->len ? ", " : "", (int)len, name);
		}
	gnutls_x509_crt_deinit(crt);
}

/* In the words of Go's crypto/x509. */
static int
distrust(struct gnutls_session_int *s, unsigned status, const char *name, struct err *err)
{
	static const char start[] = "tls: failed to verify certificate: x509:";
	autobuf struct buf names = BUF_INIT;
	unsigned n = 0;
	const gnutls_datum_t *list = gnutls_certificate_get_peers(s, &n);

	if (status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED))
		return err_set(
		    err, ERR_UNAUTHORIZED, "%s certificate has expired or is not yet valid", start);
	if (!(status & GNUTLS_CERT_UNEXPECTED_OWNER) || (status & GNUTLS_CERT_SIGNER_NOT_FOUND))
		return err_set(
		    err, ERR_UNAUTHORIZED, "%s certificate signed by unknown authority", start);
	if (n > 0)
		add_names(&names, &list[0]);
	if (names.len > 0)
		return err_set(err, ERR_UNAUTHORIZED, "%s certificate is valid for %s, not %s",
		    start, names.data, name);
	return err_set(err, ERR_UNAUTHORIZED,
	    "%s certificate is not valid for any names, but wanted to match %s", start, name);
}

static int
check_certificate(struct gnutls_session_int *s, const struct duplex_tls *tls, struct err *err)
{
	gnutls_typed_vdata_st want[] = {
		{ .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = (void *)GNUTLS_KP_TLS_WWW_SERVER },
		{ .type = GNUTLS_DT_DNS_HOSTNAME, .data = (void *)(uintptr_t)tls->name },
	};
	unsigned status = 0;
	int r;

	if (!tls->verify)
		return 0;
	r = gnutls_certificate_verify_peers(s, want, tls->name ? 2 : 1, &status);
	if (r < 0)
		return err_set(err, ERR_UNAUTHORIZED, "tls: failed to verify certificate: x509: %s",
		    gnutls_strerror(r));
	return status ? distrust(s, status, tls->name ? tls->name : "", err) : 0;
}

/* Who we are, and whom we believe. */
static int
set_credentials(struct duplex *d, const struct duplex_tls *tls, struct err *err)
{
	int r = gnutls_certificate_allocate_credentials(&d->credentials);

	if (r == 0 && tls->crt) {
		r = gnutls_certificate_set_x509_key_file(
		    d->credentials, tls->crt, tls->key, GNUTLS_X509_FMT_PEM);
		if (r < 0)
			return err_set(
			    err, ERR_INTERNAL, "cannot use '%s': %s", tls->crt, gnutls_strerror(r));
	}
	if (r >= 0 && tls->verify && tls->ca) {
		gnutls_datum_t ca = { (unsigned char *)(uintptr_t)tls->ca,
			(unsigned)strlen(tls->ca) };

		r = gnutls_certificate_set_x509_trust_mem(d->credentials, &ca, GNUTLS_X509_FMT_PEM);
		if (r <= 0)
			return err_set(err, ERR_UNAUTHORIZED,
			    "unable to load root certificates: unable to parse bytes as PEM block");
	} else if (r >= 0 && tls->verify) {
		r = gnutls_certificate_set_x509_system_trust(d->credentials);
	}
	return r < 0 ? err_set(err, ERR_INTERNAL, "cannot set up TLS: %s", gnutls_strerror(r)) : 0;
}

static int
handshake(struct duplex *d, const struct duplex_tls *tls, double until, struct err *err)
{
	int r = set_credentials(d, tls, err);

	if (r < 0)
		return r;
	r = gnutls_init(&d->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
	if (r < 0)
		return err_set(err, ERR_INTERNAL, "cannot set up TLS: %s", gnutls_strerror(r));
	gnutls_set_default_priority(d->tls);
	gnutls_credentials_set(d->tls, GNUTLS_CRD_CERTIFICATE, d->credentials);
	if (tls->name)
		gnutls_server_name_set(d->tls, GNUTLS_NAME_DNS, tls->name, strlen(tls->name));
	gnutls_handshake_set_timeout(d->tls, GNUTLS_INDEFINITE_TIMEOUT);
	gnutls_transport_set_int(d->tls, d->fd);
	while ((r = gnutls_handshake(d->tls)) < 0 && !gnutls_error_is_fatal(r)) {
		short what = gnutls_record_get_direction(d->tls) ? POLLOUT : POLLIN;

		if (r == GNUTLS_E_AGAIN && wait_for(d->fd, what, until) <= 0)
			return err_set(err, ERR_UNAVAILABLE, "net/http: TLS handshake timeout");
	}
	if (r < 0)
		return err_set(err, ERR_UNAVAILABLE, "tls: %s", gnutls_strerror(r));
	r = check_certificate(d->tls, tls, err);
	return r < 0 ? r : check_pin(d->tls, tls->pin, err);
}

int
duplex_dial(struct duplex **ret, const char *host, int port, const struct duplex_tls *tls,
    double seconds, struct err *err)
{
	double until = clock_monotonic() + seconds;
	int fd = connect_any(host, port, until, err), r = 0;
	struct duplex *d;

	if (fd < 0)
		return fd;
	d = duplex_from_fd(fd);
	if (tls)
		r = handshake(d, tls, until, err);
	if (r < 0) {
		duplex_close(d);
		return r;
	}
	*ret = d;
	return 0;
}
