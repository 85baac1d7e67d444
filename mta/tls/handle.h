// OpenSSL's objects as owners in C++, and what it says when something went wrong.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace postproof::tls {

template <auto Free>
struct FreeBy {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};

using BioHandle = std::unique_ptr<BIO, FreeBy<&BIO_free_all>>;
using CertificateHandle = std::unique_ptr<X509, FreeBy<&X509_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, FreeBy<&EVP_PKEY_free>>;
using ContextHandle = std::unique_ptr<SSL_CTX, FreeBy<&SSL_CTX_free>>;
using ConnectionHandle = std::unique_ptr<SSL, FreeBy<&SSL_free>>;

// The reason of the thread's oldest error since the queue was cleared ("certificate verify failed"); clears the queue.
std::string take_error();

}  // namespace postproof::tls
