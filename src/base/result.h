#pragma once
// Result and Status are part of the public library; their home is there.
#include "contextcore/result.h"
