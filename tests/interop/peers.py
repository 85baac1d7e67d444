"""Other MTAs as clients of ours and as its peers, within TLS: Exim and OpenSMTPD, and Python's aiosmtpd over SMTP and LMTP.

Debian's packages of MTAs exclude one another: ci/unpack-packages lays their files under build/foreign. They look for users
and folders of their own, which a mount namespace shows to them alone; that needs root.
"""
import contextlib
import json
import pathlib
import shutil
import smtplib
import ssl
import subprocess

from harness import HOST, Mta, TlsSink, certificate, free_port, port_open, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOREIGN = ROOT / 'build' / 'foreign'
USERS = {'Debian-exim': 990, 'opensmtpd': 991, 'opensmtpq': 992}


class Foreign:
    """Takes mail for anybody: that for US goes to our MTA within TLS alone, all other to the sink. From construction to stop()."""

    US = 'to-us.example'
    program = ''
    serves_tls = True

    def __init__(self, folder, ours, our_root, sink):
        self.folder, self.port = pathlib.Path(folder), free_port()
        self.folder.parent.chmod(0o755)
        self.folder.mkdir()
        unpacked = FOREIGN / self.program
        assert unpacked.exists(), f'{unpacked} is not there; run ci/unpack-packages'
        self.executable = pathlib.Path(shutil.copy(unpacked, self.folder))  # where its users may go
        self.chain, self.key = certificate(self.folder, 'foreign.example', HOST)
        for name in ('passwd', 'group'):
            file = pathlib.Path(self.folder, name)
            shutil.copy(f'/etc/{name}', file)
            middle = '::/:/usr/sbin/nologin' if name == 'passwd' else ':'
            with file.open('a') as lines:
                lines.writelines(f'{user}:x:{number}:{number}{middle}\n' if name == 'passwd' else f'{user}:x:{number}{middle}\n'
                                 for user, number in USERS.items())
        config = self.folder / 'config'
        config.write_text(self.configuration(ours, our_root, sink))
        binds = ' && '.join(f'mount --bind {self.folder}/{name} /etc/{name}' for name in ('passwd', 'group'))
        self.log = (self.folder / 'output').open('wb')
        self.process = subprocess.Popen(
            ['unshare', '--mount', 'sh', '-c', f'{binds} && {self.prepare()} && exec {self.executable} {self.options(config)}'],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            wait_for(lambda: self.process.poll() is not None or port_open(self.port), 20, f'{self.program} does not listen')
            assert self.process.poll() is None, self.log_text()
        except AssertionError:
            self.stop()
            raise

    def log_text(self):
        return '\n'.join(path.read_text(errors='replace') for path in self.folder.glob('*log')) + \
            pathlib.Path(self.log.name).read_text(errors='replace')

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


class Exim(Foreign):
    program = 'usr/sbin/exim4'

    def prepare(self):
        return f'install -d -o Debian-exim {self.folder}/spool && chown Debian-exim {self.key} {self.folder}'

    def options(self, config):
        return f'-C {config} -bdf -q1s'

    def configuration(self, ours, our_root, sink):
        return f'''
exim_path = {self.executable}
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/%slog
pid_file_path = {self.folder}/pid
primary_hostname = foreign.example
local_interfaces = {HOST}
daemon_smtp_ports = {self.port}
tls_advertise_hosts = *
tls_certificate = {self.chain}
tls_privatekey = {self.key}
acl_smtp_rcpt = take
keep_environment =
host_lookup =
begin acl
take:
  accept
begin routers
us:
  driver = manualroute
  domains = {self.US}
  route_list = * {HOST}
  self = send
  transport = us
sink:
  driver = manualroute
  route_list = * {HOST}
  self = send
  transport = sink
begin transports
us:
  driver = smtp
  port = {ours}
  hosts_require_tls = *
  tls_verify_certificates = {our_root}
  tls_verify_hosts = *
  tls_verify_cert_hostnames = :
sink:
  driver = smtp
  port = {sink}
  hosts_require_tls = *
begin retry
* * F,1h,1s
'''


class OpenSmtpd(Foreign):
    program = 'usr/sbin/smtpd'
    serves_tls = False  # version 6.8 offers STARTTLS, and with OpenSSL 3 has no private key in its handshake

    def prepare(self):
        return ('mount -t tmpfs none /var/spool && mount -t tmpfs none /var/lib && mount -t tmpfs none /run && '
                'mkdir -m 711 -p /var/spool/smtpd /var/lib/opensmtpd/empty && chmod 711 /var/lib/opensmtpd && cd /')

    def options(self, config):
        return f'-d -f {config}'

    def configuration(self, ours, our_root, sink):
        return f'''
pki own cert "{self.chain}"
pki own key "{self.key}"
listen on {HOST} port {self.port} tls pki own hostname foreign.example
action us relay host smtp+tls://{HOST}:{ours} tls no-verify
action sink relay host smtp+tls://{HOST}:{sink} tls no-verify
match from any for domain "{self.US}" action us
match from any for any action sink
'''


MESSAGE = ('From: Alice <alice@src.example>\r\nTo: Bob <bob@example.org>\r\nSubject: there\r\nDate: Wed, 7 Oct 2026 10:00:00 +0000\r\n'
           'Message-ID: <1@src.example>\r\n\r\n.\r\n..dots\r\n' + 'long ' * 180 + '\r\n\r\nend  \r\n').encode() + b'text\r\n' * 5000


# Run by the distribution's Python, which has the module: keeps the content of each message in a file, with its recipients.
AIOSMTPD = '''
import asyncio, json, pathlib, ssl, sys
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP
kind, host, port, folder, chain, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)
class Keeper:
    taken = 0
    async def handle_DATA(self, server, session, envelope):
        self.taken += 1
        pathlib.Path(folder, f'{self.taken}.part').write_bytes(envelope.content)
        told = {'recipients': envelope.rcpt_tos, 'options': envelope.mail_options, 'tls': session.ssl is not None}
        pathlib.Path(folder, f'{self.taken}.json').write_text(json.dumps(told))
        return '250 2.0.0 kept'
keeper = Keeper()
async def serve():
    loop = asyncio.get_running_loop()
    make = {'smtp': SMTP, 'lmtp': LMTP}[kind]
    # Where STARTTLS is required, its LMTP takes no LHLO before it.
    server = await loop.create_server(lambda: make(keeper, hostname='aiosmtpd.example', enable_SMTPUTF8=True, tls_context=context,
                                                   require_starttls=kind == 'smtp', loop=loop), host, int(port))
    await server.serve_forever()
asyncio.run(serve())
'''


class PeerCases:
    def case_aiosmtpd(self, folder):
        """Python's aiosmtpd takes our mail over SMTP and over LMTP, within TLS, to a recipient in letters of all kinds too."""
        chain, key = certificate(folder, 'aiosmtpd.example', HOST)
        for kind in ('smtp', 'lmtp'):
            port, kept = free_port(), pathlib.Path(folder, kind)
            kept.mkdir()
            server = subprocess.Popen(['/usr/bin/python3', '-c', AIOSMTPD, kind, HOST, str(port), str(kept), str(chain), str(key)],
                                      stdin=subprocess.DEVNULL)
            try:
                wait_for(lambda: port_open(port), 20, 'aiosmtpd does not listen')
                mta = Mta(self.mta, f'{folder}/mta-{kind}', port, f'tls.client = "verify"\ntls.ca = "{chain}"\n',
                          threads=self.options.session_threads)
                if kind == 'lmtp':
                    mta.config.write_text(mta.config.read_text().replace('smarthost = "[', 'smarthost = "lmtp:['))
                mta.start()
                with smtplib.SMTP(HOST, mta.port, 'client.example', timeout=30) as client:
                    client.ehlo()
                    # One recipient a message: its LMTP answers once for all of them (RFC 2033 section 4.2 wants each).
                    for recipient in ('bob@dest.example', 'jürgen@dest.example'):
                        assert client.sendmail('alice@src.example', [recipient], MESSAGE, ['SMTPUTF8', 'BODY=8BITMIME']) == {}
                wait_for(lambda: mta.log_text().count(' delivered ') == 2, 30, f'{kind}: not delivered')
                told = [json.loads(path.read_text()) for path in sorted(kept.glob('*.json'))]
                assert sorted(name for one in told for name in one['recipients']) == ['bob@dest.example', 'jürgen@dest.example'], told
                for one in told:  # asked for where it is needed (RFC 6531 section 3.4)
                    assert one['tls'] and ('SMTPUTF8' in one['options']) != one['recipients'][0].isascii(), told
                for path in kept.glob('*.part'):
                    assert path.read_bytes().endswith(MESSAGE), path.read_bytes()[:2000]
                assert mta.stop() == 0
            finally:
                server.terminate()
                server.wait(20)

    def there_and_back(self, folder, kind):
        """A message that `kind` hands to our MTA, and one that our MTA hands to `kind`: both arrive as they were."""
        if subprocess.run(['unshare', '--mount', 'true'], stderr=subprocess.DEVNULL, check=False).returncode:
            print('      not shown: mount namespaces are not allowed here')
            return
        with contextlib.ExitStack() as stop:
            sink = TlsSink(*certificate(folder, 'sink.example', HOST))
            stop.callback(sink.stop)
            chain, key = certificate(folder, 'mta.example', HOST)

            def ours(name, smarthost, more):
                mta = Mta(self.mta, f'{folder}/{name}', smarthost, f'relay.clients = ["{HOST}"]\ntls.certificate = "{chain}"\n'
                          f'tls.key = "{key}"\n{more}', threads=self.options.session_threads).start()
                stop.callback(lambda: mta.process.poll() is None and mta.kill())
                return mta

            from_it = ours('from-it', sink.port, 'tls.server = "require"\n')
            foreign = kind(f'{folder}/foreign', from_it.port, chain, sink.port)
            stop.callback(foreign.stop)
            level = 'verify' if kind.serves_tls else 'may'
            to_it = ours('to-it', foreign.port, f'tls.client = "{level}"\ntls.ca = "{foreign.chain}"\n')
            try:
                for port, recipient, there in ((foreign.port, f'bob@{Foreign.US}', from_it), (to_it.port, 'bob@dest.example', to_it)):
                    before = len(sink.messages)
                    with smtplib.SMTP(HOST, port, 'client.example', timeout=30) as client:
                        if there is to_it or kind.serves_tls:
                            client.starttls(context=ssl._create_unverified_context())
                        assert client.sendmail('alice@src.example', [recipient], MESSAGE) == {}
                    wait_for(lambda: len(sink.messages) == before + 1, 60, f'{recipient}: nothing at the sink')
                    assert sink.messages[-1].replace(b'\r\n.', b'\r\n').endswith(MESSAGE), sink.messages[-1][:3000]
                    assert b'with ESMTPS ' in sink.messages[-1]
                    wait_for(lambda: ' delivered ' in there.log_text(), 10, 'no word of it in the log')
                assert (' verified"' in to_it.log_text()) == kind.serves_tls, to_it.log_text()
            except Exception:
                print(foreign.log_text())
                raise
            assert from_it.stop() == 0
            assert to_it.stop() == 0

    def case_exim(self, folder):
        """Exim hands us mail, and takes ours, each within TLS: verified in both directions."""
        self.there_and_back(folder, Exim)

    def case_opensmtpd(self, folder):
        """OpenSMTPD hands us mail within TLS, and takes ours: in the clear, for its own handshake breaks."""
        self.there_and_back(folder, OpenSmtpd)
