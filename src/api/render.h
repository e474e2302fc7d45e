/* Rendering an answer tree as JSON or XML. */
#ifndef API_RENDER_H
#define API_RENDER_H

#include <jansson.h>

#include "base/arena.h"

/* Compact JSON in order of insertion. {NULL,0} without memory. */
str render_json(const json_t *tree, arena *a);
/* <?xml ...?><root>...: an object's members become elements, an array repeats its member's element, scalars are text.
 * Source: XML examples of the DeleteDtsJob page; direct arrays as the official Go SDK's xml tags. */
str render_xml(const json_t *tree, str root, arena *a);

#endif
