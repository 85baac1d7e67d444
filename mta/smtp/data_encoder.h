// A message's content as it goes over the wire behind 354: dots stuffed, ended by CRLF.CRLF (RFC 5321 sections
// 4.1.1.4 and 4.5.2). No I/O.
//
// What comes out has no bare CR and no bare LF, whatever goes in: each becomes CRLF, and what is behind it begins a
// line whose dot is stuffed. A receiver that takes LF.LF or CR.CR for an end of data therefore never sees one.
#pragma once

#include <string>
#include <string_view>

namespace postproof::smtp {

class DataEncoder {
 public:
  // Appends the encoded octets of the next piece, cut anywhere.
  void feed(std::string_view content, std::string& out);
  // Appends what ends the data: CRLF only if the content did not end in one, the dot, CRLF.
  void finish(std::string& out);

 private:
  bool line_start_ = true;
  bool cr_ = false;  // a CR has come and is held back
};

}  // namespace postproof::smtp
