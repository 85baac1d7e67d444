"""The distribution's Postfix with a configuration, a queue and a log of its own. Needs root."""
import pathlib
import shutil
import subprocess

from harness import tool

SETTINGS = {
    'compatibility_level': '3.6', 'myhostname': 'postfix.example', 'inet_protocols': 'ipv4', 'mydestination': '',
    'smtp_tls_security_level': 'none', 'smtpd_tls_security_level': 'none', 'alias_maps': '', 'alias_database': '',
}


class Postfix:
    """Runs from its construction to stop(). `folder` must be one that the user postfix may enter."""

    def __init__(self, folder, listen, settings):
        self.config, self.log = pathlib.Path(folder, 'postfix'), pathlib.Path(folder, 'maillog')
        shutil.copytree('/etc/postfix', self.config, symlinks=True)
        queue, data = pathlib.Path(folder, 'queue'), pathlib.Path(folder, 'data')
        queue.mkdir(mode=0o755)
        data.mkdir()
        shutil.chown(data, 'postfix')
        master = f'{listen} inet n - n - - smtpd\n'
        for name, kind, wake, limit, program in (
                ('pickup', 'unix', '60', '1', 'pickup'), ('cleanup', 'unix', '-', '0', 'cleanup'),
                ('qmgr', 'unix', '300', '1', 'qmgr'), ('rewrite', 'unix', '-', '-', 'trivial-rewrite'),
                ('bounce', 'unix', '-', '0', 'bounce'), ('defer', 'unix', '-', '0', 'bounce'),
                ('trace', 'unix', '-', '0', 'bounce'), ('smtp', 'unix', '-', '-', 'smtp'),
                ('relay', 'unix', '-', '-', 'smtp'), ('error', 'unix', '-', '-', 'error'),
                ('retry', 'unix', '-', '-', 'error'), ('anvil', 'unix', '-', '1', 'anvil'),
                ('scache', 'unix', '-', '1', 'scache'), ('proxymap', 'unix', '-', '-', 'proxymap'),
                ('flush', 'unix', '1000?', '0', 'flush'), ('tlsmgr', 'unix', '1000?', '1', 'tlsmgr'),
                ('postlog', 'unix-dgram', '-', '1', 'postlogd')):
            private = 'n' if name in ('pickup', 'qmgr', 'cleanup', 'flush', 'postlog') else '-'
            master += f'{name} {kind} {private} - n {wake} {limit} {program}\n'
        (self.config / 'master.cf').write_text(master)
        own = {'queue_directory': queue, 'data_directory': data, 'maillog_file': self.log, 'maillog_file_prefixes': folder}
        (self.config / 'main.cf').write_text(''.join(f'{key} = {value}\n' for key, value in {**SETTINGS, **own, **settings}.items()))
        self.postfix('start')

    def postfix(self, verb):
        subprocess.run([tool('postfix'), '-c', str(self.config), verb], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=60)

    def log_text(self):
        return self.log.read_text(errors='replace') if self.log.exists() else ''

    def stop(self):
        self.postfix('stop')
