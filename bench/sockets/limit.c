// The least that a server of websockets can do: one finished frame, a send() for each socket.
// limit PORT ASK_PORT; it is asked over UDP for so many messages, "r" counts them from 0.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, LENGTH = 300 };

static int lines[MOST], count;

static void watch(int poll, int fd) {
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

static void publish(int number) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint8_t frame[4 + LENGTH + 1] = {0x81, 126, LENGTH >> 8, LENGTH & 255};
    int length = sprintf((char *)frame + 4, "{\"i\":%d,\"t\":%lld,\"p\":\"", number, t.tv_sec * 1000000000LL + t.tv_nsec);
    memset(frame + 4 + length, 'x', LENGTH - length - 2);
    memcpy(frame + 4 + LENGTH - 2, "\"}", 2);
    for (int i = 0; i < count; i++) send(lines[i], frame, 4 + LENGTH, MSG_NOSIGNAL);
}

static void leave(int fd) {
    close(fd);
    for (int i = 0; i < count; i++)
        if (lines[i] == fd) lines[i--] = lines[--count];
}

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    int poll = epoll_create1(0), door = socket(AF_INET, SOCK_STREAM, 0), asks = socket(AF_INET, SOCK_DGRAM, 0), one = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(door, (void *)&at, sizeof at) < 0 || listen(door, MOST) < 0) return 1;
    at.sin_port = htons(atoi(argv[2]));
    if (bind(asks, (void *)&at, sizeof at) < 0) return 1;
    watch(poll, door);
    watch(poll, asks);
    for (int number = 0;;) {
        struct epoll_event ready[256];
        int events = epoll_wait(poll, ready, 256, -1);
        for (int e = 0; e < events; e++) {
            char text[2048];
            int fd = ready[e].data.fd;
            if (fd == door) {
                int line = accept(door, NULL, NULL);
                setsockopt(line, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                watch(poll, line);
                continue;
            }
            int got = recv(fd, text, sizeof text - 1, 0);
            text[got > 0 ? got : 0] = 0;
            if (fd == asks && *text == 'r') number = 0;
            else if (fd == asks)
                for (int more = atoi(text); more > 0; more--) publish(number++);
            else if (got <= 0) leave(fd);
            else if (!strncmp(text, "GET ", 4) && count < MOST) {
                const char *welcome = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
                send(fd, welcome, strlen(welcome), MSG_NOSIGNAL);
                lines[count++] = fd;
            }
        }
    }
}
