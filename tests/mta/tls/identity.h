// A certificate for tests that need one and no simulation: of mx.test.example and 192.0.2.2, from a root of its own, valid
// from 2025 to 2124.
#pragma once

#include "mta/tls/context.h"

namespace postproof::test {

inline constexpr const char* kTestName = "mx.test.example";

inline constexpr const char* kTestRoot = R"(-----BEGIN CERTIFICATE-----
MIIBXDCCAQGgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlUZXN0IFJv
b3QwIBcNMjUwMTAxMDAwMDAwWhgPMjEyNTAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CVRlc3QgUm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABDA8Qeq8YhnsbURd
G1u7xvoZlvjBabd9bpny0/2xoLQ890IvzvXy3xXMgLV6lg5QxgV5WIgSTQHrFpeH
E0DUiTGjQjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMB0GA1Ud
DgQWBBTTWmfB9TSSMfwciclFzZkpPzZhdzAKBggqhkjOPQQDAgNJADBGAiEAs0AU
c8W7fwbAVjrO+HlOV4IySet94L79LCj5yYOpZBwCIQDncOkD0q+mB6pUNUR4jf6W
uYvov3kO9x/yo8gdOClTbA==
-----END CERTIFICATE-----
)";

inline tls::Identity test_identity() {
  tls::Identity identity;
  identity.chain = R"(-----BEGIN CERTIFICATE-----
MIIBkjCCATegAwIBAgIBAjAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlUZXN0IFJv
b3QwIBcNMjUwMTAxMDAwMDAwWhgPMjEyNTAxMDEwMDAwMDBaMBoxGDAWBgNVBAMM
D214LnRlc3QuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNUP8bzp
u5WQm/ZiAVjEsb0dDdYLq5v4reCU3KeVIfPTkJY0mIty88eiY44uFm7Z7LTm25AF
2DjP3nLLTtYyVqOjcjBwMCAGA1UdEQQZMBeCD214LnRlc3QuZXhhbXBsZYcEwAAC
AjAMBgNVHRMBAf8EAjAAMB0GA1UdDgQWBBQaFUZaf/S+1SvGKd0AqlHLCh5lMDAf
BgNVHSMEGDAWgBTTWmfB9TSSMfwciclFzZkpPzZhdzAKBggqhkjOPQQDAgNJADBG
AiEAqdJPosZal6qD5zYk2ljVlePLYwfWgq/mIPiOzch8dosCIQDlnXAXVsNmxbNw
fs7ktQnJcjPqlgJl92tRAn3cZtgodw==
-----END CERTIFICATE-----
)";
  identity.key = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4cXd6H9yGLLSW/rn
2h5nJ1p38J1RW9pNM8+aKPNiDKehRANCAATVD/G86buVkJv2YgFYxLG9HQ3WC6ub
+K3glNynlSHz05CWNJiLcvPHomOOLhZu2ey05tuQBdg4z95yy07WMlaj
-----END PRIVATE KEY-----
)";
  return identity;
}

// Signed by itself, of other.example and all names of one label below it; valid from 2025 to 2123.
inline tls::Identity other_identity() {
  tls::Identity identity;
  identity.chain = R"(-----BEGIN CERTIFICATE-----
MIIBbzCCARSgAwIBAgIBATAKBggqhkjOPQQDAjAQMQ4wDAYDVQQDDAVPdGhlcjAg
Fw0yNTAxMDEwMDAwMDBaGA8yMTI0MDEwMTAwMDAwMFowEDEOMAwGA1UEAwwFT3Ro
ZXIwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAS5afqTzevRgoLD0CbASfTqYXUT
FInMuI+A4/lCUtbSuncf2C7PRuiaOE2XfMOiYaS/5LVEGv2A+xKtr9T4mPlno10w
WzApBgNVHREEIjAggg1vdGhlci5leGFtcGxlgg8qLm90aGVyLmV4YW1wbGUwDwYD
VR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUPRexto1kWZJpIq70Lshz8LdIV6EwCgYI
KoZIzj0EAwIDSQAwRgIhAIECachf2bC5MrLTO1VzRQRSKgyuR5yCTdEcIO67QfYg
AiEA4i0qDnIp2IMCMiAjuyoVageVCToZIvwEIh1dkC+L0LY=
-----END CERTIFICATE-----
)";
  identity.key = R"(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwiFZNwLXCcVmeLik
xyCi707l32FGteRX9AwzYEIXdsahRANCAAS5afqTzevRgoLD0CbASfTqYXUTFInM
uI+A4/lCUtbSuncf2C7PRuiaOE2XfMOiYaS/5LVEGv2A+xKtr9T4mPln
-----END PRIVATE KEY-----
)";
  return identity;
}

}  // namespace postproof::test
