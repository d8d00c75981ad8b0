// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The host as a device: a Linux process whose UART is standard input and output, which are a pty, a
 * socket or a pipe. A thread stands for the receive interrupt: it writes every byte to a ring of the
 * boards' size, and a byte that does not fit is lost and counted, as on a board. */
#define _GNU_SOURCE

#include "port.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RING_BYTES PORT_RECEIVE_BYTES

/* A host that reads nothing for this long loses bytes, as with a UART. */
#define WRITE_PATIENCE_MS 1000

#define IDLE_MS 10

static struct {
    pthread_mutex_t mutex;
    pthread_cond_t arrived;
    size_t head, tail; /* bytes written and read so far */
    uint32_t lost;
    uint8_t bytes[RING_BYTES];
} ring = {.mutex = PTHREAD_MUTEX_INITIALIZER, .arrived = PTHREAD_COND_INITIALIZER};

static struct {
    size_t count;
    uint8_t bytes[4096];
} outgoing;

static struct timespec started;

static void *receive(void *unused)
{
    uint8_t bytes[256];

    (void)unused;
    for (;;) {
        const ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
        if (got <= 0) {
            if (got < 0 && errno == EINTR) {
                continue;
            }
            _exit(0); /* the line is gone: this device ends, too */
        }
        pthread_mutex_lock(&ring.mutex);
        for (ssize_t i = 0; i < got; i++) {
            if (ring.head - ring.tail == RING_BYTES) {
                ring.lost++;
            } else {
                ring.bytes[ring.head++ % RING_BYTES] = bytes[i];
            }
        }
        pthread_cond_signal(&ring.arrived);
        pthread_mutex_unlock(&ring.mutex);
    }
    return NULL;
}

static void flush(void)
{
    size_t at = 0;

    while (at < outgoing.count) {
        struct pollfd line = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (poll(&line, 1, WRITE_PATIENCE_MS) == 0) {
            break;
        }
        const ssize_t sent = write(STDOUT_FILENO, outgoing.bytes + at, outgoing.count - at);
        if (sent < 0 && errno != EINTR && errno != EAGAIN) {
            _exit(0);
        }
        at += sent > 0 ? (size_t)sent : 0;
    }
    outgoing.count = 0;
}

void port_init(void)
{
    pthread_t thread;

    clock_gettime(CLOCK_MONOTONIC, &started);
    if (pthread_create(&thread, NULL, receive, NULL) != 0) {
        abort();
    }
}

size_t port_read(uint8_t *bytes, size_t most)
{
    size_t count = 0;

    flush();
    pthread_mutex_lock(&ring.mutex);
    while (count < most && ring.tail != ring.head) {
        bytes[count++] = ring.bytes[ring.tail++ % RING_BYTES];
    }
    pthread_mutex_unlock(&ring.mutex);
    return count;
}

void port_write(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (outgoing.count == sizeof outgoing.bytes) {
            flush();
        }
        outgoing.bytes[outgoing.count++] = bytes[i];
    }
}

void port_idle(void)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += IDLE_MS * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_nsec -= 1000000000;
        end.tv_sec++;
    }
    pthread_mutex_lock(&ring.mutex);
    while (ring.tail == ring.head &&
           pthread_cond_timedwait(&ring.arrived, &ring.mutex, &end) != ETIMEDOUT) {
    }
    pthread_mutex_unlock(&ring.mutex);
}

uint32_t port_micros(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)((int64_t)(now.tv_sec - started.tv_sec) * 1000000 +
                      (now.tv_nsec - started.tv_nsec) / 1000);
}

uint32_t port_rx_overruns(void)
{
    pthread_mutex_lock(&ring.mutex);
    const uint32_t lost = ring.lost;
    pthread_mutex_unlock(&ring.mutex);
    return lost;
}

_Noreturn void port_reset(void)
{
    static char name[] = "edgebio-device";
    static char *const arguments[] = {name, NULL};

    flush();
    execve("/proc/self/exe", arguments, environ);
    abort();
}

size_t port_image(const uint8_t **image)
{
    *image = NULL;
    return 0;
}

uint32_t port_stack_used(void)
{
    return 0;
}

uint32_t port_stack_size(void)
{
    return 0;
}

/* Whoever started a process that hangs ends it. */
void port_watchdog_feed(void)
{
}

port_start port_start_cause(void)
{
    return PORT_START_ORDINARY;
}

const port_fault *port_last_fault(void)
{
    return NULL;
}
