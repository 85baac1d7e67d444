// Looks through a message's header while it streams by, without keeping it: counts Received fields, for
// the detection of loops (RFC 5321 section 6.3), and sees what a submitted message lacks (RFC 6409 section 8), and whether
// it needs SMTPUTF8 (RFC 6532). No I/O.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace postproof {

class HeaderScan {
 public:
  // Lines end in CRLF; chunks may split anywhere. Octets behind `size_max` are not looked at.
  explicit HeaderScan(std::size_t size_max) : left_(size_max) {}

  void feed(std::string_view chunk);
  unsigned received_fields() const { return received_; }
  // The first line begins with white space: below a field of ours it would go on with that one (RFC 5322 section 2.2.3).
  bool begins_folded() const { return folded_; }
  bool has_date() const { return date_; }
  bool has_message_id() const { return message_id_; }
  // All of it was looked at, and is US-ASCII.
  bool is_ascii() const { return !eight_bit_ && left_ > 0; }
  bool ended() const { return ended_; }  // the empty line has come, or size_max
  bool overlong() const { return overlong_; }  // size_max has come, and no empty line

 private:
  void end_line();
  void see(std::string_view field_name);

  std::size_t left_;
  std::string start_;           // the first octets of the line, as many as a field name needs
  std::size_t line_size_ = 0;   // without CR and LF
  unsigned received_ = 0;
  bool begun_ = false;
  bool folded_ = false;
  bool date_ = false;
  bool message_id_ = false;
  bool eight_bit_ = false;
  bool ended_ = false;
  bool overlong_ = false;
};

}  // namespace postproof
