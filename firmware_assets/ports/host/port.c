// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The host as a device: a Linux process whose UART is standard input and output, which are a pty, a
 * socket or a pipe. Threads stand for the UART's interrupts: one writes every received byte to a ring
 * of the boards' size, and a byte that does not fit is lost and counted, as on a board; the other one
 * sends what waits in a ring of its own, however slowly it is read. */
#define _GNU_SOURCE

#include "port.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#define RING_BYTES PORT_RECEIVE_BYTES
_Static_assert(PORT_TRANSMIT_BYTES == RING_BYTES, "both rings have one size");

typedef struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t head, tail; /* bytes written and read so far */
    uint32_t lost;
    uint8_t bytes[RING_BYTES];
} ring;

static ring received = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
static ring outgoing = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
static bool stalled; /* the host has read nothing for PORT_WRITE_PATIENCE_MS */

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
        pthread_mutex_lock(&received.mutex);
        for (ssize_t i = 0; i < got; i++) {
            if (received.head - received.tail == RING_BYTES) {
                received.lost++;
            } else {
                received.bytes[received.head++ % RING_BYTES] = bytes[i];
            }
        }
        pthread_cond_signal(&received.changed);
        pthread_mutex_unlock(&received.mutex);
    }
    return NULL;
}

/* Bytes stay in the ring until they have been sent. */
static void *transmit(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&outgoing.mutex);
    for (;;) {
        while (outgoing.head == outgoing.tail) {
            pthread_cond_wait(&outgoing.changed, &outgoing.mutex);
        }
        const size_t at = outgoing.tail % RING_BYTES;
        const size_t waiting = outgoing.head - outgoing.tail;
        const size_t whole = waiting < RING_BYTES - at ? waiting : RING_BYTES - at;
        pthread_mutex_unlock(&outgoing.mutex);
        const ssize_t sent = write(STDOUT_FILENO, outgoing.bytes + at, whole);
        if (sent < 0 && errno != EINTR && errno != EAGAIN) {
            _exit(0);
        }
        pthread_mutex_lock(&outgoing.mutex);
        outgoing.tail += sent > 0 ? (size_t)sent : 0;
        pthread_cond_signal(&outgoing.changed);
    }
    return NULL;
}

/* Waits for a change of a locked ring, for at most so many milliseconds; false if there was none. */
static bool await_change(ring *r, long milliseconds)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_nsec += milliseconds * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    return pthread_cond_timedwait(&r->changed, &r->mutex, &end) == 0;
}

void port_init(void)
{
    pthread_t thread;

    host_start_clock();
    if (pthread_create(&thread, NULL, receive, NULL) != 0 ||
        pthread_create(&thread, NULL, transmit, NULL) != 0) {
        abort();
    }
}

size_t port_read(uint8_t *bytes, size_t most)
{
    size_t count = 0;

    pthread_mutex_lock(&received.mutex);
    while (count < most && received.tail != received.head) {
        bytes[count++] = received.bytes[received.tail++ % RING_BYTES];
    }
    pthread_mutex_unlock(&received.mutex);
    host_pass_bytes(count);
    return count;
}

void port_write(const uint8_t *bytes, size_t count)
{
    pthread_mutex_lock(&outgoing.mutex);
    for (size_t i = 0; i < count; i++) {
        while (outgoing.head - outgoing.tail == RING_BYTES) {
            stalled = stalled || !await_change(&outgoing, PORT_WRITE_PATIENCE_MS);
            if (stalled && outgoing.head - outgoing.tail == RING_BYTES) {
                pthread_mutex_unlock(&outgoing.mutex);
                return;
            }
        }
        stalled = false;
        outgoing.bytes[outgoing.head++ % RING_BYTES] = bytes[i];
    }
    pthread_cond_signal(&outgoing.changed);
    pthread_mutex_unlock(&outgoing.mutex);
}

size_t port_write_room(void)
{
    pthread_mutex_lock(&outgoing.mutex);
    const size_t room = RING_BYTES - (outgoing.head - outgoing.tail);
    pthread_mutex_unlock(&outgoing.mutex);
    return room;
}

static void flush(void)
{
    pthread_mutex_lock(&outgoing.mutex);
    while (outgoing.head != outgoing.tail && await_change(&outgoing, PORT_WRITE_PATIENCE_MS)) {
    }
    pthread_mutex_unlock(&outgoing.mutex);
}

bool host_await_byte(uint32_t milliseconds)
{
    pthread_mutex_lock(&received.mutex);
    while (received.tail == received.head && milliseconds != 0 &&
           await_change(&received, (long)milliseconds)) {
    }
    const bool any = received.tail != received.head;
    pthread_mutex_unlock(&received.mutex);
    return any;
}

uint32_t port_rx_overruns(void)
{
    pthread_mutex_lock(&received.mutex);
    const uint32_t lost = received.lost;
    pthread_mutex_unlock(&received.mutex);
    return lost;
}

_Noreturn void host_restart(void)
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

const port_fault *port_last_fault(void)
{
    return NULL;
}

bool port_clock_fallback(void)
{
    return false;
}

bool port_has_bootloader(void)
{
    return false;
}

_Noreturn void port_enter_bootloader(void)
{
    abort();
}
