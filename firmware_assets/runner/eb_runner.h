// SPDX-License-Identifier: Apache-2.0
// Copyright edgebio contributors

/* The device's side of the serial protocol of MLPerf Tiny's public runner (github.com/mlcommons/tiny,
 * benchmark/runner and benchmark/api).
 *
 * A command is text that ends with '%'; its answer is lines that end with CR LF, the last of which is
 * "m-ready". Lines begin with "m-", errors with "e-[".
 *
 *   name                 m-name-dut-[...]
 *   profile              m-profile-[...], m-model-[...]
 *   timestamp            m-lap-us-N
 *   db load N            N bytes of input follow
 *   db HEX               some of them; m-load-done after the last
 *   db print             m-buffer-..., eight bytes a line
 *   infer N [WARMUPS]    runs the network; time before and after, and the results
 *   results              m-results-[...]: real values of the outputs, or for ad01 their mean squared
 *                        distance from the input
 *   help
 */
#ifndef EB_RUNNER_H
#define EB_RUNNER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Forms of the input, for EB_RUNNER_FORM of runner_config.h. */
#define EB_RUNNER_TENSOR 0 /* bytes of the int8 tensor */
#define EB_RUNNER_PIXELS 1 /* uint8, 128 above the tensor */
#define EB_RUNNER_FLOATS 2 /* little-endian float32, quantized by the device */

/* Longest command, without its end. */
#define EB_RUNNER_COMMAND_BYTES 80u

/* Forgets everything, and says that the device is ready. */
void eb_runner_start(void);

/* Takes one received byte; executes the command that it ends. */
void eb_runner_push(uint8_t byte);

/* Provided by the application: sends text; microseconds since the start; and runs the network. */
void eb_runner_write(const char *text, size_t count);
uint64_t eb_runner_micros(void);
void eb_runner_infer(const int8_t *input, int8_t *output);

#ifdef __cplusplus
}
#endif

#endif
