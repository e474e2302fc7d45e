/* The program's entry: finds the role or command and runs it. */
#include <stdio.h>

int main(void)
{
    puts("sluice " SLUICE_VERSION);
    return 0;
}
