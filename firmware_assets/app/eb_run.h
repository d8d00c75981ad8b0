/* Uploads, and runs of the network on what was uploaded. */

#ifndef EB_RUN_H
#define EB_RUN_H

#include "eb_server.h"

eb_handler eb_run_upload;
eb_handler eb_run_image;
eb_handler eb_run_window;
eb_handler eb_run_output;

/* Forgets what was uploaded: its memory is wanted for something else. */
void eb_run_forget(void);

#endif
