/*
 * prompt.h - `encode_exporter predict`: the models of a directory, asked once.
 */
#ifndef SERVER_PREDICT_PROMPT_H
#define SERVER_PREDICT_PROMPT_H

/*
 * argv[0] is "predict", flags follow; argv is changed. Reads the directory as the exporter
 * does, prints the answer, and returns the status to exit with: 0; 1: the data can say
 * nothing of this encode (the answer tells why), or something cannot be read (stderr tells
 * what); 2: wrong flags.
 */
int predict_prompt(int argc, char **argv);

#endif
