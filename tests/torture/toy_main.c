/* The toy pipeline as an executable, for the torture scripts. */
#include "tests/support/toy.h"

int main(int argc, char **argv)
{
    return dg_main(toy_pipeline(), argc, argv);
}
