#include <stdio.h>
#include <unistd.h>

#include "cmd/command.h"
#include "pg/conn.h"

int main(int argc, char **argv)
{
    int status;

    /* Results and progress keep their order where both go to one log. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    status = rt_command_line(argc, argv);
    if (!rt_connecting())
        return status;
    fflush(NULL);
    _exit(status);
}
