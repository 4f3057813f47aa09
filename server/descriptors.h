/*
 * descriptors.h - the limit of open files, shared out.
 */
#ifndef SERVER_DESCRIPTORS_H
#define SERVER_DESCRIPTORS_H

/* How many of so many connections the limit of open files has room for, once it is raised
 * as far as may be. Fewer are told in the log. */
unsigned descriptors_for(unsigned wanted);

#endif
