#include "cli/context.h"

int main(int argc, char** argv) { return contextcore::cli::run(argc, argv); }
