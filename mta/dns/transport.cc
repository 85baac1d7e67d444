#include "mta/dns/transport.h"

#include <array>
#include <utility>

namespace postproof::dns {

namespace {

// More than we announce, so that a server that ignores the size is still understood.
constexpr std::size_t kUdpAnswerOctetsMax = 4096;
// So many datagrams that are no answer to our question are somebody's guesses at it: TCP, which cannot be
// guessed at, is asked instead (RFC 5452 section 9.3).
constexpr unsigned kWrongAnswersMax = 50;

Answer silence(std::string text) {
  Answer answer;
  answer.kind = Answer::Kind::silent;
  answer.text = std::move(text);
  return answer;
}

Answer silence(const Error& error) {
  return silence(std::string(error.code == Errc::timed_out ? std::string_view("timed out") : to_string(error.code)));
}

Answer failure(std::string text) {
  Answer answer;
  answer.text = std::move(text);
  return answer;
}

Task<Result<void>> read_all(Stream& stream, std::span<char> into, Deadline deadline) {
  while (!into.empty()) {
    const Result<std::size_t> got = co_await stream.read_some(into, deadline);
    if (!got) co_return std::unexpected(got.error());
    if (*got == 0) co_return fail(Errc::unexpected_eof, "DNS over TCP: closed before the answer");
    into = into.subspan(*got);
  }
  co_return Result<void>{};
}

}  // namespace

// A socket while it is in use: close() must find it.
class Transport::Open {
 public:
  template <class Socket>
  Open(Transport& transport, Socket& socket) : transport_(transport), id_(transport.next_open_++) {
    transport_.open_[id_] = [&socket] { socket.close(); };
  }
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  ~Open() { transport_.open_.erase(id_); }

 private:
  Transport& transport_;
  std::uint64_t id_;
};

Task<Answer> Transport::ask(std::string name, Type type, Endpoint server, bool edns, Deadline deadline) {
  if (closed_) co_return silence("closed");
  if (server.kind() != Endpoint::Kind::ip) co_return silence("no IP address");

  Question question = draw_question(name, type, edns);
  Answer answer = co_await over_udp(question, server, deadline);
  if (answer.kind == Answer::Kind::no_edns && !closed_) {
    question = draw_question(name, type, false);
    answer = co_await over_udp(question, server, deadline);
  }
  if (answer.kind == Answer::Kind::truncated && !closed_) {
    const bool with_edns = question.edns;
    question = draw_question(name, type, with_edns);
    answer = co_await over_tcp(question, server, deadline);
  }
  if (answer.kind == Answer::Kind::truncated) co_return failure("truncated over TCP");
  if (answer.kind == Answer::Kind::no_edns) co_return failure(std::move(answer.text));
  co_return answer;
}

void Transport::close() {
  closed_ = true;
  for (const auto& [id, close_socket] : open_) close_socket();
}

Question Transport::draw_question(const std::string& name, Type type, bool edns) {
  Question question;
  question.id = static_cast<std::uint16_t>(ids_->next());
  question.name = name;
  question.type = type;
  question.edns = edns;
  return question;
}

Task<Answer> Transport::over_udp(Question question, Endpoint server, Deadline deadline) {
  const IpAddress any = server.address().is_v4() ? IpAddress() : IpAddress::v6({});
  Result<std::unique_ptr<Datagram>> opened = env_.network.open_datagram(Endpoint(any, 0));
  if (!opened) {
    Answer answer = silence(opened.error());
    tell(question, server, answer, "");
    co_return answer;
  }
  Datagram& socket = **opened;
  const Open open(*this, socket);

  const std::string packet = write_question(question);
  const Result<void> sent = co_await socket.send_to(packet, server, deadline);
  if (!sent) {
    Answer answer = silence(sent.error());
    tell(question, server, answer, "");
    co_return answer;
  }
  std::array<char, kUdpAnswerOctetsMax> buffer;
  for (unsigned wrong = 0; wrong < kWrongAnswersMax; ++wrong) {
    const Result<Datagram::Received> received = co_await socket.receive(buffer, deadline);
    if (!received) {
      Answer answer = silence(received.error());
      tell(question, server, answer, "");
      co_return answer;
    }
    if (received->from != server) continue;
    std::optional<Answer> answer = read_answer({buffer.data(), received->size}, question);
    if (!answer) continue;
    tell(question, server, *answer, "");
    co_return std::move(*answer);
  }
  Answer answer = failure("too many wrong answers");
  answer.kind = Answer::Kind::truncated;
  tell(question, server, answer, "");
  co_return answer;
}

Task<Answer> Transport::over_tcp(Question question, Endpoint server, Deadline deadline) {
  constexpr std::string_view kHow = " over TCP";
  Result<std::unique_ptr<Stream>> connected = co_await env_.network.connect(server, std::nullopt, deadline);
  if (!connected || closed_) {
    Answer answer = connected ? silence("closed") : silence(connected.error());
    tell(question, server, answer, kHow);
    co_return answer;
  }
  Stream& stream = **connected;
  const Open open(*this, stream);

  // RFC 7766 section 8: the length and the message in one write.
  const std::string packet = write_question(question);
  std::string framed;
  framed += static_cast<char>(packet.size() >> 8);
  framed += static_cast<char>(packet.size() & 0xff);
  framed += packet;
  Result<void> done = co_await stream.write_all(framed, deadline);
  std::array<char, 2> length{};
  if (done) done = co_await read_all(stream, length, deadline);
  std::string message(static_cast<unsigned char>(length[0]) << 8 | static_cast<unsigned char>(length[1]), '\0');
  if (done) done = co_await read_all(stream, message, deadline);
  stream.close();

  Answer answer;
  if (!done) {
    answer = silence(done.error());
  } else if (std::optional<Answer> read = read_answer(message, question)) {
    answer = std::move(*read);
  } else {
    answer = failure("answer to another question");
  }
  tell(question, server, answer, kHow);
  co_return answer;
}

void Transport::tell(const Question& question, const Endpoint& server, const Answer& answer, std::string_view how) {
  const std::string at = server.to_string();
  const std::string result = answer.text + std::string(how);
  env_.events.emit(event::DnsQuery{question.name, to_string(question.type), at, result});
}

}  // namespace postproof::dns
