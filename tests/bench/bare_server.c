/*
 * bare_server.c - the least an HTTP server on libuv and llhttp can do: every request,
 * whatever it asks, is answered with the same bytes, those of a file, head included.
 *
 * The yardstick of the benchmark: what a scrape costs beyond this is ours. It listens
 * on a free port of loopback, prints that, and serves until a signal ends it.
 */
#include <llhttp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct client {
    uv_tcp_t tcp;
    llhttp_t parser;
};

static uv_buf_t answer;
static llhttp_settings_t settings;

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void client_close(struct client *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void on_written(uv_write_t *rq, int rc)
{
    if (rc < 0)
        client_close(rq->handle->data);
    free(rq);
}

static int on_request(llhttp_t *parser)
{
    uv_stream_t *stream = parser->data;
    int sent = uv_try_write(stream, &answer, 1);
    size_t n = sent > 0 ? (size_t)sent : 0;
    uv_buf_t rest = uv_buf_init(answer.base + n, (unsigned)(answer.len - n));
    uv_write_t *rq;

    if (rest.len == 0)
        return 0;
    rq = malloc(sizeof *rq);
    if (rq && uv_write(rq, stream, &rest, 1, on_written) == 0)
        return 0;
    free(rq);
    return -1;
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    static char room[65536];

    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(room, sizeof room);
}

static void on_bytes(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct client *c = stream->data;

    if (n < 0 || llhttp_execute(&c->parser, buf->base, (size_t)n) != HPE_OK)
        client_close(c);
}

static void on_client(uv_stream_t *listener, int rc)
{
    struct client *c = rc == 0 ? calloc(1, sizeof *c) : NULL;

    if (!c)
        return;
    uv_tcp_init(listener->loop, &c->tcp);
    c->tcp.data = c;
    llhttp_init(&c->parser, HTTP_REQUEST, &settings);
    c->parser.data = &c->tcp;
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) < 0 ||
        uv_tcp_nodelay(&c->tcp, 1) < 0 ||
        uv_read_start((uv_stream_t *)&c->tcp, on_room, on_bytes) < 0)
        client_close(c);
}

static int answer_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    long n = -1;

    if (!file)
        return -1;
    if (fseek(file, 0, SEEK_END) == 0 && (n = ftell(file)) > 0 &&
        fseek(file, 0, SEEK_SET) == 0 && (answer.base = malloc((size_t)n)))
        answer.len = fread(answer.base, 1, (size_t)n, file);
    fclose(file);
    return n > 0 && answer.len == (size_t)n ? 0 : -1;
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct sockaddr_in address;
    struct sockaddr_storage bound = { 0 };
    int bound_n = sizeof bound;
    uv_tcp_t listener;

    if (argc != 2 || answer_read(argv[1]) < 0) {
        fputs("usage: bare_server FILE (with a whole answer)\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    llhttp_settings_init(&settings);
    settings.on_message_complete = on_request;
    uv_ip4_addr("127.0.0.1", 0, &address);
    uv_tcp_init(loop, &listener);
    if (uv_tcp_bind(&listener, (const struct sockaddr *)&address, 0) < 0 ||
        uv_listen((uv_stream_t *)&listener, 511, on_client) < 0 ||
        uv_tcp_getsockname(&listener, (struct sockaddr *)&bound, &bound_n) < 0) {
        fputs("bare_server: cannot listen on loopback\n", stderr);
        return 1;
    }
    memcpy(&address, &bound, sizeof address);
    printf("%u\n", (unsigned)ntohs(address.sin_port));
    fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT);
}
