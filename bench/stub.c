/* A fast upstream for bench/gateway.py: an OpenAI-style endpoint that always answers the same, plain or as a stream.
 *
 * One thread, epoll. A request whose body says "stream":true gets CHUNKS events, each written on its own (with
 * TCP_NODELAY), then [DONE]; any other gets one JSON answer. Started with a second argument, it waits so many
 * milliseconds between the first event and the second, for one connection at a time.
 *
 *   cc -O2 -o stub stub.c && ./stub PORT [PAUSE_MS]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNKS 20
#define ROOM 65536
#define MOST 4096

static const char ANSWER[] =
    "{\"id\":\"gen-1\",\"object\":\"chat.completion\",\"created\":1,\"model\":\"openai/gpt-5-mini\",\"choices\":[{\"index\":0,"
    "\"message\":{\"role\":\"assistant\",\"content\":\"pong\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":8,"
    "\"completion_tokens\":1,\"total_tokens\":9}}";
static const char EVENT[] =
    "data: {\"id\":\"gen-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"openai/gpt-5-mini\",\"choices\":"
    "[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"pong \"},\"finish_reason\":null}]}\n\n";
static const char LAST[] =
    "data: {\"id\":\"gen-1\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"openai/gpt-5-mini\",\"choices\":"
    "[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

typedef struct {
    char data[ROOM];
    size_t used;
} Connection;

static Connection *connections[MOST];
static char plain[4096], stream_head[512], event[1024], last[1024];
static size_t plain_size, head_size, event_size, last_size;
static int pause_ms;

static void build(void) {
    plain_size = snprintf(plain, sizeof plain,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", sizeof ANSWER - 1, ANSWER);
    head_size = snprintf(stream_head, sizeof stream_head,
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n");
    event_size = snprintf(event, sizeof event, "%zx\r\n%s\r\n", sizeof EVENT - 1, EVENT);
    last_size = snprintf(last, sizeof last, "%zx\r\n%s\r\n0\r\n\r\n", sizeof LAST - 1, LAST);
}

static int put(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR)) continue;
        if (sent <= 0) return -1;
        data += sent;
        size -= sent;
    }
    return 0;
}

static int answer(int fd, int streamed) {
    if (!streamed) return put(fd, plain, plain_size);
    if (put(fd, stream_head, head_size) < 0) return -1;
    for (int chunk = 0; chunk < CHUNKS - 1; chunk++) {
        if (put(fd, event, event_size) < 0) return -1;
        if (chunk == 0 && pause_ms > 0) usleep(pause_ms * 1000);
    }
    return put(fd, last, last_size);
}

/* The size of the first whole request in the buffer, 0 when it is not complete; its body in *body. */
static size_t whole(Connection *one, char **body) {
    one->data[one->used] = 0;
    char *end = strstr(one->data, "\r\n\r\n");
    if (end == NULL) return 0;
    *body = end + 4;
    size_t head = *body - one->data;
    *end = 0;
    char *length = strcasestr(one->data, "\r\ncontent-length:");
    char *chunked = strcasestr(one->data, "\r\ntransfer-encoding: chunked");
    *end = '\r';
    if (length != NULL) {
        size_t total = head + strtoul(length + 17, NULL, 10);
        return total <= one->used ? total : 0;
    }
    if (chunked != NULL) {
        char *terminator = strstr(*body, "0\r\n\r\n");
        return terminator ? (size_t)(terminator + 5 - one->data) : 0;
    }
    return head;
}

static int serve(int fd, Connection *one) {
    ssize_t got = recv(fd, one->data + one->used, ROOM - 1 - one->used, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN ? 0 : -1;
    one->used += got;
    char *body;
    for (size_t size; (size = whole(one, &body)) > 0;) {
        char after = one->data[size];
        one->data[size] = 0;
        int streamed = strstr(body, "\"stream\":true") != NULL || strstr(body, "\"stream\": true") != NULL;
        one->data[size] = after;
        if (answer(fd, streamed) < 0) return -1;
        memmove(one->data, one->data + size, one->used - size);
        one->used -= size;
    }
    return one->used < ROOM - 1 ? 0 : -1;
}

static void welcome(int listener, int poll) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (fd >= MOST) { close(fd); continue; }
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        connections[fd] = calloc(1, sizeof(Connection));
        struct epoll_event interest = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &interest);
    }
}

int main(int count, char **arguments) {
    if (count < 2) { fprintf(stderr, "stub PORT [PAUSE_MS]\n"); return 2; }
    pause_ms = count > 2 ? atoi(arguments[2]) : 0;
    build();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(arguments[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1024) < 0) {
        perror("stub");
        return 1;
    }
    int poll = epoll_create1(0);
    struct epoll_event interest = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &interest);
    for (;;) {
        int found = epoll_wait(poll, ready, 256, -1);
        for (int at = 0; at < found; at++) {
            int fd = ready[at].data.fd;
            if (fd == listener) { welcome(listener, poll); continue; }
            if (serve(fd, connections[fd]) < 0) {
                free(connections[fd]);
                connections[fd] = NULL;
                close(fd);
            }
        }
    }
}
