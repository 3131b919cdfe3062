#include "cmd/command.h"

int main(int argc, char **argv)
{
    /* Results and progress keep their order where both go to one log. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    return rt_command_line(argc, argv);
}
