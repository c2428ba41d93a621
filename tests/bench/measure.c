/* Run a command some times and print, for each run, its wall time in microseconds, its peak memory
 * in KiB, its exit code and the time that processors worked for it. A program of its own and not
 * part of bench.py, because a process's peak counts the moment between fork and exec, when it still
 * is as large as its parent. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static int run_once(char **command)
{
    long long start = now_us();
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp(command[0], command);
        _exit(127);
    }
    int status;
    struct rusage usage;
    if (wait4(pid, &status, 0, &usage) < 0)
        return -1;
    printf("%lld %ld %d %lld\n", now_us() - start, usage.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
           (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000LL + usage.ru_utime.tv_usec +
               usage.ru_stime.tv_usec);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: measure TIMES COMMAND [ARGUMENT...]\n");
        return 2;
    }
    for (long n = strtol(argv[1], NULL, 10); n > 0; n--)
        if (run_once(argv + 2) < 0) {
            perror("measure");
            return 1;
        }
    return 0;
}
