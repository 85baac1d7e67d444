"""Logins against programs that we did not write: swaks, gsasl, Python, Dovecot's auth server; and ours at a Postfix."""
import base64
import hashlib
import hmac
import pathlib
import re
import secrets
import smtplib
import ssl
import subprocess
import time

from harness import HOST, Mta, TlsSink, certificate, free_port, tool, wait_for
from postfix import Postfix

PASSWORD = 'pencil & paper'
USER = 'alice@src.example'


class Dovecot:
    """The distribution's Dovecot, of which only the auth server runs: USER with PASSWORD."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        folder.chmod(0o755)
        self.log, self.socket = folder / 'dovecot.log', folder / 'auth-client'
        users, config = folder / 'dovecot.users', folder / 'dovecot.conf'
        users.write_text(f'{USER}:{{PLAIN}}{PASSWORD}\n')
        config.write_text(
            f'protocols =\nbase_dir = {folder}/dovecot\nlog_path = {self.log}\nssl = no\nauth_verbose = yes\n'
            'auth_mechanisms = plain login scram-sha-256\n'
            f'passdb {{\n driver = passwd-file\n args = {users}\n}}\n'
            'userdb {\n driver = static\n args = uid=nobody gid=nogroup home=/nonexistent\n}\n'
            f'service auth {{\n unix_listener {self.socket} {{\n  mode = 0666\n }}\n}}\n')
        self.process = subprocess.Popen([tool('dovecot'), '-F', '-c', str(config)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(self.socket.exists, 20, 'Dovecot does not come up')

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def swaks(mta, mechanism, password=PASSWORD):
    """swaks within TLS; what it shows."""
    return subprocess.run([tool('swaks'), '--server', f'{HOST}:{mta.port}', '--tls', '--from', USER, '--to', 'bob@dest.example',
                           '--auth', mechanism, '--auth-user', USER, '--auth-password', password],
                          capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL).stdout


def gsasl(mta, mechanism, password=PASSWORD):
    """gsasl, in the clear: it says STARTTLS before EHLO, and then waits; what it shows."""
    return subprocess.run([tool('gsasl'), '--smtp', '--no-starttls', '--mechanism', mechanism, '--authentication-id', USER,
                           '--password', password, '--connect', f'{HOST}:{mta.port}'],
                          input='', capture_output=True, text=True, timeout=60).stdout


def scram(ask, password, header, binding):
    """SCRAM-SHA-256(-PLUS) by Python alone (RFC 5802 section 3), over ask(line) -> reply; the last reply."""
    def mac(key, text):
        return hmac.digest(key, text, 'sha256')

    def b64(octets):
        return base64.b64encode(octets).decode()

    mechanism = 'SCRAM-SHA-256-PLUS' if header.startswith('p=') else 'SCRAM-SHA-256'
    bare = f'n={USER},r={secrets.token_hex(12)}'
    reply = ask(f'AUTH {mechanism} {b64((header + bare).encode())}')
    if not reply.startswith('334'):
        return reply
    first = base64.b64decode(reply[4:]).decode()
    said = dict(part.split('=', 1) for part in first.split(','))
    salted = hashlib.pbkdf2_hmac('sha256', password.encode(), base64.b64decode(said['s']), int(said['i']))
    without_proof = f'c={b64(header.encode() + binding)},r={said["r"]}'
    message = f'{bare},{first},{without_proof}'.encode()
    key = mac(salted, b'Client Key')
    proof = bytes(a ^ b for a, b in zip(key, mac(hashlib.sha256(key).digest(), message)))
    reply = ask(b64(f'{without_proof},p={b64(proof)}'.encode()))
    if not reply.startswith('334'):
        return reply
    assert base64.b64decode(reply[4:]).decode() == 'v=' + b64(mac(mac(salted, b'Server Key'), message)), reply
    return ask('')


class OpensslClient:
    """openssl s_client past STARTTLS: what was exported of its TLS, and lines."""

    def __init__(self, mta, *options):
        self.process = subprocess.Popen(
            [tool('openssl'), 's_client', '-starttls', 'smtp', '-connect', f'{HOST}:{mta.port}', '-crlf', '-ign_eof',
             '-keymatexport', 'EXPORTER-Channel-Binding', '-keymatexportlen', '32', *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, bufsize=1)
        self.exported = None
        while self.exported is None:
            line = self.process.stdout.readline()
            assert line, 'openssl has ended'
            if line.strip().startswith('Keying material: '):
                self.exported = bytes.fromhex(line.split(': ')[1].strip())

    def ask(self, line):
        self.process.stdin.write(line + '\n')
        for reply in self.process.stdout:
            if re.match(r'[2345]\d\d ', reply):
                return reply.strip()
        raise AssertionError('openssl has ended')

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        self.process.stdin.close()
        self.process.stdout.close()


class AuthCases:
    def auth_mta(self, folder, sink, auth):
        chain, key = certificate(folder, 'mta.example', HOST)
        extra = (f'tls.certificate = "{chain}"\ntls.key = "{key}"\ntls.client = "may"\nrelay.clients = ["192.0.2.0/24"]\n'
                 f'auth.failure_delay = "100ms"\nauth.failures_max = 10\n{auth}\n')
        return Mta(self.mta, f'{folder}/mta', sink.port, extra, threads=self.options.session_threads).start(), chain

    def set_password(self, file, *options, password=PASSWORD):
        done = subprocess.run([self.mta, 'passwd', '--file', str(file), *options, USER], input=f'{password}\n', capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, done.stderr

    def case_auth_password_file(self, folder):
        """swaks, Python, and SCRAM with and without channel binding over openssl, log in against a file of ours, and relay; nobody else does."""
        sink = TlsSink(*certificate(folder, 'sink.example', HOST))
        users = pathlib.Path(folder, 'users')
        self.set_password(users)
        mta, chain = self.auth_mta(folder, sink, f'auth.password_file = "{users}"')
        for mechanism in ('PLAIN', 'LOGIN'):
            shown = swaks(mta, mechanism)
            assert '<~  235 2.7.0' in shown and '<~  250 2.0.0 queued' in shown, shown
            shown = swaks(mta, mechanism, 'wrong')
            assert '<~* 535 5.7.8' in shown, shown
        openssl = OpensslClient(mta)
        assert openssl.ask('EHLO client.example').startswith('250')
        for header, binding, outcome in (('p=tls-exporter,,', b'x' * 32, '535'), ('y,,', b'', '535'), ('p=tls-unique,,', b'', '535'),
                                         ('p=tls-exporter,,', openssl.exported, '235')):
            reply = scram(openssl.ask, PASSWORD, header, binding)
            assert reply.startswith(outcome), (header, reply)
        openssl.close()
        for mechanism in ('plain', 'login'):
            with smtplib.SMTP(HOST, mta.port, timeout=30) as client:
                client.ehlo()
                assert 'auth' not in client.esmtp_features
                client.starttls(context=ssl.create_default_context(cafile=chain))
                client.ehlo()
                client.user, client.password = USER, PASSWORD
                assert client.auth(mechanism, getattr(client, f'auth_{mechanism}'))[0] == 235
                client.sendmail(USER, ['bob@dest.example'], 'Subject: x\r\n\r\ny\r\n')
        for password, outcome in (('wrong', '535'), (PASSWORD, '235')):
            with smtplib.SMTP(HOST, mta.port, timeout=30) as client:
                client.starttls(context=ssl.create_default_context(cafile=chain))
                client.ehlo()
                end_point = hashlib.sha256(client.sock.getpeercert(binary_form=True)).digest()

                def ask(line):
                    code, text = client.docmd(line)
                    return f'{code} {text.decode()}'

                for header, binding in (('n,,', b''), ('p=tls-server-end-point,,', end_point)):
                    reply = scram(ask, password, header, binding)
                    assert reply.startswith(outcome), (header, reply)
                    if outcome == '235':
                        break
        # A hash in place of the verifier, seen without a restart: SCRAM is not offered any more.
        self.set_password(users, '--scheme', 'yescrypt')
        time.sleep(1.5)
        assert '235 2.7.0' in swaks(mta, 'PLAIN')
        assert 'SCRAM' not in swaks(mta, 'LOGIN', 'wrong')
        unknown = subprocess.run([tool('swaks'), '--server', f'{HOST}:{mta.port}', '--from', USER, '--to', 'bob@dest.example'],
                                 capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL).stdout
        assert '550 5.7.1' in unknown, unknown
        wait_for(lambda: len(sink.messages) == 5 and not mta.queue(), 30, f'{len(sink.messages)} messages at the sink, of 5')
        assert all(b'with ESMTPSA ' in message for message in sink.messages), sink.messages
        secret = base64.b64encode(f'\0{USER}\0{PASSWORD}'.encode()).decode()
        log = mta.log_text()
        assert secret not in log and PASSWORD not in log
        assert log.count(f'login={USER} result=ok') == 7, log
        assert mta.stop() == 0
        sink.stop()

    def case_auth_by_certificate(self, folder):
        """A client's certificate logs in by EXTERNAL, and relays; none, a stranger's, another name, and a proxy's for its client do not."""
        sink = TlsSink(*certificate(folder, 'sink.example', HOST))
        chain, key = certificate(folder, 'client.example', HOST)
        strange_chain, strange_key = certificate(folder, 'stranger.example', HOST)
        mta, _ = self.auth_mta(folder, sink, f'tls.client_ca = "{chain}"\nsmtp.xclient_from = ["{HOST}"]')
        for options in ([], ['-cert', str(strange_chain), '-key', str(strange_key)]):
            openssl = OpensslClient(mta, *options)
            assert openssl.ask('EHLO client.example').startswith('250')
            assert openssl.ask('AUTH EXTERNAL =').startswith('504 5.5.4')
            openssl.close()
        openssl = OpensslClient(mta, '-cert', str(chain), '-key', str(key))
        assert openssl.ask('EHLO client.example').startswith('250')
        assert openssl.ask('AUTH EXTERNAL ' + base64.b64encode(b'stranger.example').decode()).startswith('535 5.7.8')
        assert openssl.ask('AUTH EXTERNAL =').startswith('235 2.7.0')
        # In lower case: a line that begins with R is a command to s_client.
        for line, code in (('mail from:<alice@src.example>', '250'), ('rcpt to:<bob@dest.example>', '250'), ('data', '354'),
                           ('Subject: x\n\ny\n.', '250'), ('xclient addr=198.51.100.7', '220'), ('ehlo pc.example', '250'),
                           ('auth external =', '504'), ('mail from:<alice@src.example>', '250'), ('rcpt to:<bob@dest.example>', '550')):
            reply = openssl.ask(line)
            assert reply.startswith(code), (line, reply)
        openssl.close()
        wait_for(lambda: len(sink.messages) == 1 and not mta.queue(), 30, 'nothing at the sink')
        assert b'with ESMTPSA ' in sink.messages[0], sink.messages
        assert 'login=client.example result=ok' in mta.log_text()
        assert mta.stop() == 0
        sink.stop()

    def case_auth_dovecot(self, folder):
        """Logins against Dovecot's auth server: PLAIN, LOGIN, SCRAM-SHA-256; 454 when it is gone."""
        dovecot = Dovecot(folder)
        sink = TlsSink(*certificate(folder, 'sink.example', HOST))
        mta, chain = self.auth_mta(folder, sink, f'auth.dovecot_socket = "{dovecot.socket}"\n'
                                                 'auth.without_tls = true\nauth.mechanisms = ["SCRAM-SHA-256", "PLAIN", "LOGIN"]')
        try:
            for mechanism in ('PLAIN', 'LOGIN'):
                shown = swaks(mta, mechanism)
                assert '<~  235 2.7.0' in shown and '<~  250 2.0.0 queued' in shown, shown
                shown = swaks(mta, mechanism, 'wrong')
                assert '<~* 535 5.7.8' in shown, shown
            shown = gsasl(mta, 'SCRAM-SHA-256')
            assert '\n235 2.7.0' in shown, shown
            shown = gsasl(mta, 'SCRAM-SHA-256', 'wrong')
            assert '535 5.7.8' in shown, shown
            dovecot.stop()
            shown = swaks(mta, 'PLAIN')
            assert '454 4.7.0' in shown, shown
            wait_for(lambda: len(sink.messages) == 2 and not mta.queue(), 30, 'nothing at the sink')
        finally:
            dovecot.process.poll() is None and dovecot.stop()
        assert mta.stop() == 0
        sink.stop()

    def case_auth_at_postfix(self, folder):
        """We log in at a Postfix that demands it, within TLS, by what it offers; a wrong password keeps the mail."""
        dovecot = Dovecot(folder)
        chain, key = certificate(folder, 'postfix.example', HOST)
        port = free_port()
        postfix = Postfix(folder, f'{HOST}:{port}', {
            'smtpd_tls_security_level': 'may', 'smtpd_tls_chain_files': f'{key}, {chain}', 'smtpd_tls_auth_only': 'yes',
            'smtpd_sasl_auth_enable': 'yes', 'smtpd_sasl_type': 'dovecot', 'smtpd_sasl_path': dovecot.socket,
            'smtpd_relay_restrictions': 'permit_sasl_authenticated, reject', 'smtpd_client_restrictions': 'permit_sasl_authenticated, reject',
            'smtpd_delay_reject': 'yes', 'default_transport': 'discard', 'relay_transport': 'discard'})
        password = pathlib.Path(folder, 'password')
        try:
            for text, mechanisms, outcome in ((PASSWORD, '', 'delivered'), (PASSWORD, 'scram-sha-256', 'delivered'), ('wrong', '', 'deferred')):
                postfix_mechanisms = f'!{"gssapi" if not mechanisms else "plain, !login"}'
                subprocess.run([tool('postconf'), '-c', str(postfix.config), f'smtpd_sasl_mechanism_filter={postfix_mechanisms}, static:rest'],
                               check=True, timeout=60)
                postfix.postfix('reload')
                password.write_text(text + '\n')
                where = pathlib.Path(folder, f'mta-{outcome}-{mechanisms}')
                mta = Mta(self.mta, where, port, threads=self.options.session_threads, extra=(
                    f'tls.client = "verify"\ntls.ca = "{chain}"\nroute.smarthost_login = "{USER}"\n'
                    f'route.smarthost_password_file = "{password}"\n')).start()
                subprocess.run([tool('swaks'), '--server', f'{HOST}:{mta.port}', '--from', USER, '--to', 'bob@dest.example', '--silent', '2'],
                               check=True, timeout=60, stdin=subprocess.DEVNULL)
                wait_for(lambda: f' {outcome} ' in mta.log_text(), 30, f'not {outcome}')
                log = mta.log_text()
                assert mta.stop() == 0
                assert ('result=ok' in log) == (outcome == 'delivered'), log
                assert outcome == 'delivered' or 'stage=auth' in log, log
        finally:
            postfix.stop()
            dovecot.stop()
        assert f'sasl_username={USER}' in postfix.log_text(), postfix.log_text()
