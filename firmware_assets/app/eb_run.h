/* Uploads, and runs of the network on what was uploaded. */

#ifndef EB_RUN_H
#define EB_RUN_H

#include "eb_server.h"

uint8_t eb_run_upload(const eb_request *request, eb_answer *answer);
uint8_t eb_run_image(const eb_request *request, eb_answer *answer);
uint8_t eb_run_window(const eb_request *request, eb_answer *answer);
uint8_t eb_run_output(const eb_request *request, eb_answer *answer);

/* Forgets what was uploaded: its memory is wanted for something else. */
void eb_run_forget(void);

#endif
