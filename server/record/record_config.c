/*
 * record_config.c - the table, for --help and the man page. flags.c reads them.
 */
#include "server/record/record_config.h"

#define AT(field) offsetof(struct record_config, field)

const struct option record_options[] = {
    { "results-dir", OPT_STRING, AT(results_dir), "RESULTS_DIR", "./test_results",
      "DIR", "directory that the results file is written to; made where it is missing",
      "record" },
    { "name", OPT_STRING, AT(name), NULL, NULL, "NAME",
      "of the scenario; without it the output file's without its suffix, or the "
      "command's",
      "record" },
    { "run", OPT_STRING, AT(run), NULL, NULL, "RUN",
      "add the scenario to test_results_RUN.json; without it each has a file of its "
      "own, named by the time",
      "record" },
    { "param", OPT_STRING, AT(pair), NULL, NULL, "K=V",
      "goes into the scenario's params; may be repeated", "record" },
    { "set", OPT_STRING, AT(pair), NULL, NULL, "FIELD=V",
      "a field of the scenario, before what the command line tells; may be repeated",
      "record" },
    { "no-progress", OPT_BOOL, AT(no_progress), NULL, NULL, NULL,
      "leave ffmpeg's options alone: frames are not known then", "record" },
    { "no-probe", OPT_BOOL, AT(no_probe), NULL, NULL, NULL,
      "do not ask ffprobe for size, rate and length of what ffmpeg wrote", "record" },
    { "strict", OPT_BOOL, AT(strict), NULL, NULL, NULL,
      "what cannot be recorded is not run, and fails; without it the command goes "
      "first",
      "record" },
    { 0 },
};
