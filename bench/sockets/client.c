// Opens many websockets, asks a publisher over UDP for messages, and counts what reaches every socket.
// One line of JSON comes out. Lean on purpose: a heavier client would measure itself.
//
// client PORT PATH HEADER SOCKETS WINDOW RATE SECONDS ASK_PORT SOCKETIO
//   RATE 0: WINDOW messages are under way at any time. Else: so many are asked for a second.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { ROOM = 1 << 16, MOST_MESSAGES = 1 << 20, LOOKED_AT = 200, SILENT_MS = 1500 };

typedef struct {
    int fd;
    int held;
    uint8_t room[ROOM];
} Socket;

typedef struct {
    int64_t sent, complete;  // by the publisher's clock, which is ours; when the last socket had it
    int got;
} Message;

static Message *messages;
static Socket *sockets;
static int count, ask_fd, asked;
static struct sockaddr_in publisher;

static int64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void ask_for(int number) {
    char text[16];
    int length = snprintf(text, sizeof text, "%d", number);
    if (asked + number > MOST_MESSAGES) exit(2);
    sendto(ask_fd, text, length, 0, (void *)&publisher, sizeof publisher);
    asked += number;
}

static void say(int fd, int kind, const uint8_t *text, int length) {  // masked with zeros
    uint8_t frame[160] = {0x80 | kind, 0x80 | length};
    memcpy(frame + 6, text, length);
    if (write(fd, frame, 6 + length) < 0) fail("write");
}

static int open_line(int port, const char *path, const char *header, Socket *s, int socketio) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[2048], *end = NULL;
    int one = 1, got = 0;
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (s->fd < 0 || connect(s->fd, (void *)&at, sizeof at) < 0) fail("connect");
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int length = snprintf(text, sizeof text,
                          "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n%s%s\r\n",
                          path, port, header, *header ? "\r\n" : "");
    if (write(s->fd, text, length) != length) fail("handshake");
    while (!end) {
        int more = read(s->fd, s->room + got, ROOM - 1 - got);
        if (more <= 0) fail("handshake");
        s->room[got += more] = 0;
        end = strstr((char *)s->room, "\r\n\r\n");
    }
    if (memcmp(s->room, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "client: refused: %.300s\n", s->room);
        exit(1);
    }
    s->held = got - (int)(end + 4 - (char *)s->room);
    memmove(s->room, end + 4, s->held);
    if (socketio) say(s->fd, 1, (const uint8_t *)"40", 2);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    return s->fd;
}

// Take one message of a socket; return how many sockets have it now, 0 if it is none of the publisher's.
static int hear(Socket *s, int kind, uint8_t *text, int64_t length, int socketio, int64_t at) {
    if (kind == 9) say(s->fd, 10, text, length < 120 ? length : 0);
    if (kind == 8) fprintf(stderr, "client: a socket was closed\n");
    if (kind != 1 && kind != 2) return 0;
    if (socketio && length == 1 && *text == '2') say(s->fd, 1, (const uint8_t *)"3", 1);
    int64_t looked_at = length < LOOKED_AT ? length : LOOKED_AT;
    uint8_t *number = memmem(text, looked_at, "\"i\":", 4), *sent = memmem(text, looked_at, "\"t\":", 4);
    if (!number || !sent) return 0;
    int n = atoi((char *)number + 4);
    if (n < 0 || n >= asked) return 0;
    messages[n].sent = atoll((char *)sent + 4);
    messages[n].complete = at;
    return ++messages[n].got;
}

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    if (argc != 10) return 64;
    int port = atoi(argv[1]), window = atoi(argv[5]), socketio = atoi(argv[9]), poll = epoll_create1(0);
    double rate = atof(argv[6]), seconds = atof(argv[7]);
    count = atoi(argv[4]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    messages = calloc(MOST_MESSAGES, sizeof *messages);
    sockets = calloc(count, sizeof *sockets);
    for (int i = 0; i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        epoll_ctl(poll, EPOLL_CTL_ADD, open_line(port, argv[2], argv[3], &sockets[i], socketio), &event);
    }
    ask_fd = socket(AF_INET, SOCK_DGRAM, 0);
    publisher = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(atoi(argv[8])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    usleep(1500000);  // greetings are over
    sendto(ask_fd, "r", 1, 0, (void *)&publisher, sizeof publisher);
    int64_t began = now(), end = began + (int64_t)(seconds * 1e9), heard = began, next = began, deliveries = 0;
    int complete = 0;
    if (rate <= 0) ask_for(window);
    while (1) {
        int64_t t = now();
        while (rate > 0 && t >= next && next < end) {
            ask_for(1);
            next += (int64_t)(1e9 / rate);
        }
        if (t >= end && (complete >= asked || t - heard > SILENT_MS * 1000000LL)) break;
        if (t - heard > 4 * SILENT_MS * 1000000LL) break;
        struct epoll_event ready[256];
        int64_t pause = rate > 0 && t < end ? (next - t) / 1000000 : 50;
        int events = epoll_wait(poll, ready, 256, pause < 0 ? 0 : pause > 50 ? 50 : (int)pause);
        for (int e = 0; e < events; e++) {
            Socket *s = &sockets[ready[e].data.u32];
            int more = read(s->fd, s->room + s->held, ROOM - s->held);
            if (more < 0 && errno == EAGAIN) continue;
            if (more <= 0) {
                epoll_ctl(poll, EPOLL_CTL_DEL, s->fd, NULL);
                continue;
            }
            s->held += more;
            int done = 0;
            int64_t at = now();
            while (s->held - done >= 2) {
                uint8_t *frame = s->room + done;
                int64_t length = frame[1] & 127;
                int head = length == 126 ? 4 : length == 127 ? 10 : 2;
                if (s->held - done < head) break;
                if (head > 2) {
                    length = 0;
                    for (int i = 2; i < head; i++) length = length << 8 | frame[i];
                }
                if (s->held - done < head + length) break;
                int got = hear(s, frame[0] & 15, frame + head, length, socketio, at);
                deliveries += got > 0;
                heard = got > 0 ? at : heard;
                complete += got == count;
                if (got == count && rate <= 0 && at < end) ask_for(1);
                done += head + length;
            }
            memmove(s->room, s->room + done, s->held -= done);
        }
    }
    int64_t *took = calloc(asked + 1, sizeof *took), last = began;
    int whole = 0;
    for (int i = 0; i < asked; i++) {
        if (messages[i].got != count) continue;
        took[whole++] = messages[i].complete - messages[i].sent;
        if (messages[i].complete > last) last = messages[i].complete;
    }
    qsort(took, whole, sizeof *took, by_size);
    printf("{\"asked\":%d,\"deliveries\":%lld,\"lost\":%lld,\"per_s\":%.1f,\"p50_ms\":%.2f,\"p99_ms\":%.2f}\n", asked,
           (long long)deliveries, (long long)asked * count - deliveries, deliveries / ((last - began) / 1e9),
           whole ? took[whole / 2] / 1e6 : -1, whole ? took[(int)(whole * .99)] / 1e6 : -1);
    return 0;
}
