/* SPDX-License-Identifier: MIT */
/* hold FILE...: lives until it is killed, with these arguments and nothing else. */
#include <unistd.h>

int main(void)
{
    for (;;)
        (void)pause();
}
