#include "sim/view/formats.h"

#include "mta/base/check.h"
#include "sim/view/html_view.h"
#include "sim/view/json_view.h"
#include "sim/view/pcap_view.h"
#include "sim/view/sequence_view.h"
#include "sim/view/text_view.h"

namespace postproof::sim {

Result<std::string> make_view(const Recording& recording, std::string_view format, const ViewSurface& surface) {
  if (format == "text") return text_view(recording);
  if (format == "json") return json_view(recording) + '\n';
  if (format == "html") return html_view(recording);
  if (format == "pcap") return pcap_view(recording);
  if (format == "keys") return key_log(recording);
  PP_CHECK(format == "sequence", "a view of an unknown format");
  SequenceViewOptions options;
  options.width = surface.width;
  options.color = surface.color;
  options.unicode = surface.unicode;
  return sequence_view(recording, options);
}

}  // namespace postproof::sim
