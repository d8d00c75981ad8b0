// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The batch application: reads inputs from files of the host, writes results to files, and ends.
 *
 * For bulk comparison and for counting instructions, which a serial line would slow down. Files are
 * accessed through semihosting (Arm, "Semihosting for AArch32 and AArch64") of an emulator or a
 * debugger; port_init is never called, and no interrupt disturbs the count.
 *
 * Files, in the folder that the emulator runs in; numbers are little-endian:
 *   job.bin      uint32: mode, inputs (images, samples or hops), 1 to run the network on images
 *   inputs.bin   mode IMAGES: images, of several inputs behind one another; mode SAMPLES: int16
 *                samples of all channels; mode STREAM: the new frames of each window
 *   outputs.bin  the network's output for each image or whole window
 *   images.bin   mode SAMPLES: the images of the front end
 *   trace.bin    builds with the hooks of eb_batch.h: uint32 kind (TRACE_*), index (layer or
 *                stage), part (channel), bytes; then the bytes
 *   result.bin   uint32: number of images, stack used, stack size
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cortex_m.h"
#include "frontend_config.h"
#include "port.h"

/* A build of the front end alone has no network. */
#ifndef EB_HAS_NETWORK
#define EB_HAS_NETWORK 1
#endif
#if EB_HAS_NETWORK
#include "model.h"
#endif

enum { SYS_OPEN = 0x01, SYS_CLOSE = 0x02, SYS_WRITE0 = 0x04, SYS_WRITE = 0x05, SYS_READ = 0x06 };
enum { SYS_EXIT_EXTENDED = 0x20, ADP_STOPPED_APPLICATION_EXIT = 0x20026 };
enum { OPEN_READ = 1, OPEN_WRITE = 5 }; /* fopen's "rb" and "wb" */

enum { MODE_IMAGES = 0, MODE_SAMPLES = 1, MODE_STREAM = 2 };
enum { EXIT_OK = 0, EXIT_FILES = 2, EXIT_FAULT = 3 };

int main(void);
void eb_batch_invoked(void);
void eb_batch_pushed(void);

static uint32_t semihost(uint32_t operation, const void *arguments)
{
    register uint32_t r0 __asm("r0") = operation;
    register const void *r1 __asm("r1") = arguments;
    __asm volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static _Noreturn void leave(uint32_t code)
{
    const uint32_t block[2] = {ADP_STOPPED_APPLICATION_EXIT, code};
    semihost(SYS_EXIT_EXTENDED, block);
    for (;;) {
    }
}

static _Noreturn void fail(const char *message)
{
    semihost(SYS_WRITE0, message);
    leave(EXIT_FILES);
}

_Noreturn void cortex_m_fault_hook(void)
{
    static const char digits[] = "0123456789abcdef";
    static char text[] = "fault 0x........ at 0x........, address 0x........\n";
    const port_fault *fault = port_last_fault();
    const uint32_t values[3] = {fault->status, fault->pc, fault->address};
    char *at = text;
    for (uint32_t i = 0; i < 3; i++) {
        while (*at != '.') {
            at++;
        }
        for (uint32_t shift = 32; shift; shift -= 4) {
            *at++ = digits[values[i] >> (shift - 4) & 15u];
        }
    }
    semihost(SYS_WRITE0, text);
    leave(EXIT_FAULT);
}

static uint32_t open_file(const char *name, uint32_t mode)
{
    uint32_t length = 0;
    while (name[length]) {
        length++;
    }
    const uint32_t block[3] = {(uint32_t)(uintptr_t)name, mode, length};
    const uint32_t handle = semihost(SYS_OPEN, block);
    if (handle == UINT32_MAX) {
        fail("a file of the job cannot be opened\n");
    }
    return handle;
}

static void close_file(uint32_t handle)
{
    if (semihost(SYS_CLOSE, &handle)) {
        fail("a file of the job cannot be closed\n");
    }
}

static void read_file(uint32_t handle, void *data, uint32_t bytes)
{
    const uint32_t block[3] = {handle, (uint32_t)(uintptr_t)data, bytes};
    if (bytes && semihost(SYS_READ, block)) {
        fail("inputs.bin or job.bin ends early\n");
    }
}

static void write_file(uint32_t handle, const void *data, uint32_t bytes)
{
    const uint32_t block[3] = {handle, (uint32_t)(uintptr_t)data, bytes};
    if (bytes && semihost(SYS_WRITE, block)) {
        fail("a result cannot be written: is the disk full?\n");
    }
}

static uint32_t inputs, images_made;

#ifdef EB_BATCH_H
enum { TRACE_LAYER = 0, TRACE_STAGE = 1, TRACE_TICKS = 2 };
static uint32_t trace;

static void write_trace(uint32_t kind, uint32_t index, uint32_t part, const void *data,
                        size_t bytes)
{
    const uint32_t head[4] = {kind, index, part, (uint32_t)bytes};
    write_file(trace, head, sizeof head);
    write_file(trace, data, (uint32_t)bytes);
}
#endif

#ifdef EB_BATCH_TRACE
#if EB_HAS_NETWORK
void eb_batch_layer_done(uint32_t layer, const void *data, size_t bytes)
{
    write_trace(TRACE_LAYER, layer, 0, data, bytes);
}
#endif

#if EB_HAS_FRONTEND
bool eb_frontend_traces(int stage)
{
    (void)stage;
    return true;
}

void eb_frontend_trace(int stage, uint32_t channel, const void *data, size_t bytes)
{
    write_trace(TRACE_STAGE, (uint32_t)stage, channel, data, bytes);
}
#endif
#endif

/* Ends of the counted stretches, which begin at eb_model_invoke and eb_frontend_push. */
__attribute__((noinline)) void eb_batch_invoked(void)
{
    __asm volatile("");
}

__attribute__((noinline)) void eb_batch_pushed(void)
{
    __asm volatile("");
}

#if EB_HAS_NETWORK
static uint32_t outputs;
static _Alignas(16) uint8_t model_state[EB_MODEL_STATE_BYTES + 1]; /* it may need none */
static _Alignas(16) uint8_t output[EB_MODEL_OUTPUT_BYTES];

#ifdef EB_BATCH_TICKS
/* Microseconds of each layer, without those of the hook; the last one is all of the network's
 * beginning and end. */
static uint32_t ticks[EB_MODEL_LAYERS + 1], resumed;

void eb_batch_layer_done(uint32_t layer, const void *data, size_t bytes)
{
    (void)data;
    (void)bytes;
    ticks[layer] = port_micros() - resumed;
    resumed = port_micros();
}
#endif

static void run_network(const void *image)
{
#ifdef EB_BATCH_TICKS
    resumed = port_micros();
#endif
    eb_model_invoke_packed(model_state, image, output);
    eb_batch_invoked();
#ifdef EB_BATCH_TICKS
    ticks[EB_MODEL_LAYERS] = port_micros() - resumed;
    write_trace(TRACE_TICKS, 0, 0, ticks, sizeof ticks);
#endif
    write_file(outputs, output, EB_MODEL_OUTPUT_BYTES);
}

static void run_images(uint32_t count)
{
    static _Alignas(16) uint8_t image[EB_MODEL_INPUT_BYTES];
    for (uint32_t i = 0; i < count; i++) {
        read_file(inputs, image, EB_MODEL_INPUT_BYTES);
        run_network(image);
        images_made++;
    }
}
#endif

#if EB_HAS_NETWORK && defined(EB_MODEL_HOP_FRAMES) && EB_MODEL_HOP_FRAMES
static void run_stream(uint32_t count)
{
    static _Alignas(16) uint8_t stream[EB_MODEL_STREAM_BYTES];
    static _Alignas(16) uint8_t frames[EB_MODEL_HOP_FRAMES * EB_MODEL_FRAME_BYTES];
    eb_model_stream_reset(stream);
    for (uint32_t i = 0; i < count; i++) {
        read_file(inputs, frames, sizeof frames);
        const int32_t result = eb_model_push(stream, frames, EB_MODEL_HOP_FRAMES, output);
        eb_batch_invoked();
        if (result == EB_MODEL_DECIDED) {
            write_file(outputs, output, EB_MODEL_OUTPUT_BYTES);
            images_made++;
        }
    }
}
#else
static void run_stream(uint32_t count)
{
    (void)count;
    fail("the image has no stream\n");
}
#endif

#if EB_HAS_FRONTEND
static void run_samples(uint32_t count, bool with_network)
{
    static _Alignas(8) uint8_t state[EB_FRONTEND_STATE_BYTES];
    static int16_t block[64][EB_FRONTEND_CHANNELS];
    const uint32_t images = open_file("images.bin", OPEN_WRITE);
    eb_frontend_reset(&eb_frontend_settings, state);
    while (count) {
        const uint32_t samples = count < 64u ? count : 64u;
        read_file(inputs, block, samples * sizeof block[0]);
        for (uint32_t i = 0; i < samples; i++) {
            const bool due = eb_frontend_push(&eb_frontend_settings, state, block[i]);
            eb_batch_pushed();
            if (due) {
                const int8_t *image = eb_frontend_image(&eb_frontend_settings, state);
                write_file(images, image, EB_FRONTEND_IMAGE_BYTES);
                images_made++;
#if EB_HAS_NETWORK
                if (with_network) {
                    run_network(image);
                }
#else
                (void)with_network;
#endif
            }
        }
        count -= samples;
    }
    close_file(images);
}
#endif

int main(void)
{
    uint32_t job[3];
    const uint32_t job_file = open_file("job.bin", OPEN_READ);
    read_file(job_file, job, sizeof job);
    close_file(job_file);
    inputs = open_file("inputs.bin", OPEN_READ);
#if EB_HAS_NETWORK
    outputs = open_file("outputs.bin", OPEN_WRITE);
#if EB_MODEL_KEPT_BYTES
    eb_model_reset(model_state);
#endif
#endif
#ifdef EB_BATCH_H
    trace = open_file("trace.bin", OPEN_WRITE);
#endif
#ifdef EB_BATCH_TICKS
    cortex_m_start_clock();
#endif
    if (job[0] == MODE_STREAM) {
        run_stream(job[1]);
    } else if (job[0] == MODE_IMAGES) {
#if EB_HAS_NETWORK
        run_images(job[1]);
#else
        fail("the image has no network\n");
#endif
    } else {
#if EB_HAS_FRONTEND
        run_samples(job[1], job[2] != 0);
#else
        fail("the model has no front end\n");
#endif
    }
#ifdef EB_BATCH_H
    close_file(trace);
#endif
    close_file(inputs);
#if EB_HAS_NETWORK
    close_file(outputs);
#endif
    const uint32_t result[3] = {images_made, port_stack_used(), port_stack_size()};
    const uint32_t result_file = open_file("result.bin", OPEN_WRITE);
    write_file(result_file, result, sizeof result);
    close_file(result_file);
    leave(EXIT_OK);
}
