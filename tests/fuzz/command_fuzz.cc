// Command lines with everything offered: addresses, parameters, xtext. What is refused makes a sound reply; what is taken
// means the same when it is written again.
#include "mta/mail/xtext.h"
#include "mta/smtp/command.h"
#include "tests/fuzz/fuzz.h"

using namespace postproof;

namespace {

smtp::Capabilities everything() {
  smtp::Capabilities all;
  all.extended = all.size = all.eight_bit_mime = all.dsn = all.utf8 = all.mt_priority = all.chunking = all.etrn = true;
  all.auth = {"PLAIN"};
  all.deliver_by = Duration{0};
  all.future_release = smtp::FutureRelease{24h, WallTime{} + 24h};
  all.xclient = {"ADDR"};
  return all;
}

void check_text(std::string_view text) {
  PP_CHECK(text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos, "a line end in a value");
}

void check_address(const Address& address) {
  const std::string text = address.to_string();
  check_text(text);
  if (address.domain.empty()) return;  // <Postmaster>
  const auto again = smtp::parse_command("RCPT TO:<" + text + ">", everything());
  PP_CHECK(again.has_value(), "an address that is not read back");
  PP_CHECK(std::get<smtp::command::Rcpt>(*again).params.recipient == address, "an address that is another when read back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const smtp::Capabilities kEverything = everything();
  const auto command = smtp::parse_command(fuzz::octets(data, size), kEverything);
  if (!command) {
    fuzz::check_reply_wire(command.error().to_wire());
    return 0;
  }
  if (const auto* mail = std::get_if<smtp::command::Mail>(&*command)) {
    if (mail->params.sender) check_address(*mail->params.sender);
    PP_CHECK(decode_xtext(mail->params.envelope_id).has_value(), "ENVID that is no xtext");
    check_text(mail->params.submitter.value_or(""));
  }
  if (const auto* rcpt = std::get_if<smtp::command::Rcpt>(&*command)) {
    check_address(rcpt->params.recipient);
    check_text(rcpt->params.original);
  }
  if (const auto* etrn = std::get_if<smtp::command::Etrn>(&*command)) check_text(etrn->domain);
  if (const auto* xclient = std::get_if<smtp::command::Xclient>(&*command)) {
    check_text(xclient->attributes.name.value_or(""));
    check_text(xclient->attributes.helo.value_or(""));
    check_text(xclient->attributes.login.value_or(""));
  }
  return 0;
}
