/*
 * qoe.h - the quality of an encode, and what it cost in energy.
 */
#ifndef MODULES_QOE_QOE_H
#define MODULES_QOE_QOE_H

#include "core/module.h"

extern const struct module module_qoe;

#endif
