"""What the interop cases share: a daemon under test, a sink, a client of our own, ports, waiting.

Everything happens on loopback, in a temporary folder, and ends with the process: daemons and sinks are
started here and ended here by their own process ids.
"""
import collections
import contextlib
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

HOST = '127.0.0.1'

# A data race ends the daemon at once: one that is killed later could not tell of it any more.
os.environ.setdefault('TSAN_OPTIONS', 'halt_on_error=1')


def free_port():
    with socket.socket() as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]


def wait_for(condition, seconds, what):
    """Polls until condition() is true; returns its value, or raises with `what`."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'after {seconds} s: {what}')
        time.sleep(0.02)


def port_open(port):
    with contextlib.suppress(OSError):
        with socket.create_connection((HOST, port), timeout=1):
            return True
    return False


def tool(name):
    """Postfix keeps smtp-sink and smtp-source in /usr/sbin, which is not on every PATH."""
    path = shutil.which(name) or shutil.which(name, path='/usr/sbin:/sbin')
    assert path, f'{name} is not installed; run ci/install-packages demo'
    return path


class Sink:
    """Postfix's smtp-sink: keeps each message in a file of its own, with LF line ends."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.folder = self.folder.resolve()
        self.port = free_port()
        user = [] if os.geteuid() else ['-u', 'root']
        self.process = subprocess.Popen(
            [tool('smtp-sink'), *user, *options, '-d', '%Y%m%d%H%M%S.', f'{HOST}:{self.port}', '1024'],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: port_open(self.port), 10, 'smtp-sink does not listen')

    def open_files(self):
        open_ = set()
        with contextlib.suppress(OSError):  # it has ended
            for descriptor in pathlib.Path(f'/proc/{self.process.pid}/fd').iterdir():
                with contextlib.suppress(OSError):  # closed by now
                    open_.add(descriptor.resolve())
        return open_

    def messages(self):
        """The messages that arrived whole: (header lines of smtp-sink's own as a dict, content)."""
        with contextlib.suppress(AssertionError):  # one that never ends is not whole
            wait_for(lambda: not self.open_files().intersection(self.folder.iterdir()), 2, 'files that are written')
        list_ = []
        paths = sorted(self.folder.iterdir())
        written = self.open_files()  # it answers before it has written the whole of one
        for path in paths:
            if path in written:
                continue
            data = path.read_bytes()
            # smtp-sink's own lines (X-Client-Addr ... X-Rcpt-Args, Received) stand first; ours follow.
            own, at = collections.defaultdict(list), 0
            while True:
                end = data.find(b'\n', at)
                line = data[at:end]
                if end < 0 or not line.startswith(b'X-'):
                    break
                name, _, value = line.partition(b':')
                if name not in (b'X-Client-Addr', b'X-Client-Proto', b'X-Helo-Args', b'X-Mail-Args', b'X-Rcpt-Args'):
                    break
                own[name.decode()].append(value.strip().decode())
                at = end + 1
            rest = data[at:]
            match = re.match(rb'Received: from [^\n]*\n(?:[ \t][^\n]*\n)*', rest)
            list_.append((own, rest[match.end():] if match and b'smtp-sink' in match.group(0) else rest))
        return list_

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Mta:
    """postproof-mta serve, over a spool and a log of its own."""

    def __init__(self, binary, folder, smarthost, extra='', threads=0):
        self.binary = binary
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.config = self.folder / 'mta.toml'
        self.config.write_text(
            f'hostname = "mta.example"\nlisten = ["{HOST}:{self.port}"]\nsession_threads = {threads}\n'
            f'dns.servers = ["{HOST}:1"]\nroute.smarthost = "[{HOST}]:{smarthost}"\n'
            f'spool.directory = "{self.folder}/spool"\nspool.segment_size = "4MiB"\n{extra}\n')
        self.process = None
        self.prefix = []
        self.environment = None

    def start(self, *options):
        self.log = open(self.folder / 'log', 'ab')
        self.process = subprocess.Popen([*self.prefix, self.binary, 'serve', '--config', str(self.config), *options],
                                        env=self.environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(lambda: self.process.poll() is not None or port_open(self.port), 30, 'the MTA does not listen')
        assert self.process.poll() is None, f'the MTA ended with {self.process.returncode}:\n{self.log_text()}'
        return self

    def log_text(self):
        return (self.folder / 'log').read_text(errors='replace')

    def daemon(self):
        """Its process id: below strace, that of strace's child."""
        if not self.prefix:
            return self.process.pid
        return int(pathlib.Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children').read_text().split()[0])

    def runs(self):
        """True; raises when it has ended without being asked to, so that nobody waits for what cannot come."""
        assert self.process.poll() is None, f'the MTA has ended by itself with {self.process.returncode}'
        return True

    def kill(self):
        self.runs()
        os.kill(self.daemon(), signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self, seconds=60):
        """SIGTERM; returns the exit status."""
        os.kill(self.daemon(), signal.SIGTERM)
        try:
            status = self.process.wait(seconds)
        finally:
            if self.process.poll() is None:
                self.kill()
        self.log.close()
        return status

    def queue(self):
        """The queue's listing, in JSON lines: the daemon's while it is to run, else that of its spool."""
        if not self.log.closed:
            self.runs()
        out = subprocess.run([self.binary, 'queue', 'list', '--json', '--config', str(self.config)],
                             capture_output=True, text=True, timeout=60)
        assert out.returncode == 0, f'queue list: {out.returncode}: {out.stderr}'
        return out.stdout.splitlines()


class Smtp:
    """An SMTP client of our own: says exactly what it is told, and tells exactly what came."""

    def __init__(self, port, timeout=30):
        self.socket = socket.create_connection((HOST, port), timeout=timeout)
        self.file = self.socket.makefile('rb')

    def reply(self):
        lines = []
        while True:
            line = self.file.readline()
            if not line.endswith(b'\r\n'):
                raise ConnectionError(f'no whole reply: {line!r}')
            lines.append(line[:-2].decode('latin-1'))
            if line[3:4] != b'-':
                return int(line[:3]), lines

    def send(self, octets):
        self.socket.sendall(octets)

    def command(self, line, expect=None):
        self.send(line.encode('latin-1') + b'\r\n')
        code, lines = self.reply()
        if expect is not None and code // 100 != expect:
            raise AssertionError(f'{line}: {lines}')
        return code, lines

    def hello(self):
        code, lines = self.reply()
        if code != 220:
            raise ConnectionError(f'greeting {lines}')
        self.command('EHLO client.example', 2)
        return self

    def message(self, sender, recipients, content):
        """One transaction; the code and lines of the reply to the final dot."""
        self.command(f'MAIL FROM:<{sender}>', 2)
        for recipient in recipients:
            self.command(f'RCPT TO:<{recipient}>', 2)
        self.command('DATA', 3)
        stuffed = re.sub(rb'(?m)^\.', b'..', content)
        self.send(stuffed + b'.\r\n')
        return self.reply()

    def close(self):
        self.file.close()
        self.socket.close()


def certificate(folder, name, address, *kind):
    """A self-signed certificate and its key, made by the openssl program; their paths. It is its own root."""
    chain, key = pathlib.Path(folder, f'{name}.pem'), pathlib.Path(folder, f'{name}.key')
    subprocess.run([tool('openssl'), 'req', '-x509', '-newkey', *(kind or ('ec', '-pkeyopt', 'ec_paramgen_curve:P-256')), '-nodes',
                    '-keyout', str(key), '-out', str(chain), '-days', '2', '-subj', f'/CN={name}',
                    '-addext', f'subjectAltName=DNS:{name},IP:{address}'], check=True, capture_output=True, timeout=60)
    return chain, key


class TlsSink:
    """A server that takes a message a connection, by Python's own TLS: offers STARTTLS, and takes MAIL within it only."""

    def __init__(self, chain, key):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, key)
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.messages, self.versions = [], []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                with contextlib.suppress(OSError):
                    self.session(connection)
                connection.close()

    def session(self, connection):
        connection.settimeout(30)
        lines, secured = connection.makefile('rb'), None
        connection.sendall(b'220 sink.example ESMTP\r\n')
        while line := lines.readline():
            verb = line[:4].upper()
            if verb == b'STAR':
                connection.sendall(b'220 go\r\n')
                connection = secured = self.context.wrap_socket(connection, server_side=True)
                self.versions.append(secured.version())
                lines = connection.makefile('rb')
            elif verb == b'EHLO':
                connection.sendall(b'250-sink.example\r\n250 8BITMIME\r\n' if secured
                                   else b'250-sink.example\r\n250 STARTTLS\r\n')
            elif verb == b'MAIL' and not secured:
                connection.sendall(b'530 5.7.0 STARTTLS first\r\n')
            elif verb == b'DATA':
                connection.sendall(b'354 go\r\n')
                content = b''
                while (one := lines.readline()) != b'.\r\n':
                    content += one
                self.messages.append(content)
                connection.sendall(b'250 taken\r\n')
            elif verb == b'QUIT':
                connection.sendall(b'221 bye\r\n')
                if secured:
                    secured.unwrap()
                return
            else:
                connection.sendall(b'250 ok\r\n')

    def stop(self):
        self.listener.close()


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix='postproof-interop-')
