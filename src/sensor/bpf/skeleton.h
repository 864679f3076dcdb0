/* SPDX-License-Identifier: MIT */
/* The generated skeleton, with the types that its sections are made of. */
#pragma once

#include "wire/guard.h"
#include "wire/hooks.h"
#include "wire/match.h"

#include "files.skel.h"
