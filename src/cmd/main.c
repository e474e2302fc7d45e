/* The program's entry: finds the role or command and runs it. */
#include "cmd/command.h"

int main(int argc, char **argv) { return command_main(argc, argv); }
