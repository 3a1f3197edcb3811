//! What is read from a certificate that TLS has checked: its hash for channel binding. Leaves out every judgement of
//! it (rustls's). A certificate that this cannot read has no hash, and the login goes on without binding.

use aws_lc_rs::digest::{self, Algorithm, SHA224, SHA256, SHA384, SHA512};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use x509_parser::signature_algorithm::SignatureAlgorithm;
use x509_parser::x509::AlgorithmIdentifier;

/// `tls-server-end-point` (RFC 5929, section 4.1): the certificate hashed as its signature hashes, with SHA-256 in place
/// of MD5 and SHA-1. Empty where the signature names no hash (Ed25519): the RFC leaves that undefined.
pub fn end_point(certificate: &[u8]) -> Vec<u8> {
    let parsed = X509Certificate::from_der(certificate).ok().map(|(_, parsed)| parsed);
    let hash = parsed.and_then(|parsed| hash_of(&parsed.signature_algorithm));
    hash.map(|hash| digest::digest(hash, certificate).as_ref().to_vec()).unwrap_or_default()
}

fn hash_of(signature: &AlgorithmIdentifier<'_>) -> Option<&'static Algorithm> {
    if let Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) = SignatureAlgorithm::try_from(signature) {
        return hash_named(&parameters.hash_algorithm_oid().to_id_string());
    }
    hash_named(&signature.algorithm.to_id_string())
}

/// The hash of a signature's or a hash's own object identifier.
fn hash_named(identifier: &str) -> Option<&'static Algorithm> {
    match identifier {
        // MD5 and SHA-1, with RSA, with ECDSA, by themselves.
        "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.3.14.3.2.26" => {
            Some(&SHA256)
        }
        "1.2.840.113549.1.1.14" | "1.2.840.10045.4.3.1" | "2.16.840.1.101.3.4.2.4" => Some(&SHA224),
        "1.2.840.113549.1.1.11" | "1.2.840.10045.4.3.2" | "2.16.840.1.101.3.4.2.1" => Some(&SHA256),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" | "2.16.840.1.101.3.4.2.2" => Some(&SHA384),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" | "2.16.840.1.101.3.4.2.3" => Some(&SHA512),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::process::Command;

    fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
        let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
        assert!(done.status.success(), "{arguments}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }

    /// OpenSSL makes the certificates, and hashes them as an oracle.
    #[test]
    fn the_hash_is_the_one_of_the_signature() {
        let folder = tempfile::tempdir().unwrap();
        let pss = "-sigopt rsa_padding_mode:pss";
        for (key, signature, hash) in [
            ("rsa:2048", "-md5".to_owned(), "sha256"),
            ("rsa:2048", "-sha1".to_owned(), "sha256"),
            ("rsa:2048", "-sha224".to_owned(), "sha224"),
            ("rsa:2048", "-sha256".to_owned(), "sha256"),
            ("rsa:2048", "-sha384".to_owned(), "sha384"),
            ("rsa:2048", "-sha512".to_owned(), "sha512"),
            ("rsa:2048", format!("-sha256 {pss}"), "sha256"),
            ("rsa:2048", format!("-sha512 {pss}"), "sha512"),
            ("ec -pkeyopt ec_paramgen_curve:P-256", "-sha1".to_owned(), "sha256"),
            ("ec -pkeyopt ec_paramgen_curve:P-256", "-sha256".to_owned(), "sha256"),
            ("ec -pkeyopt ec_paramgen_curve:P-384", "-sha384".to_owned(), "sha384"),
            ("ec -pkeyopt ec_paramgen_curve:P-384", "-sha512".to_owned(), "sha512"),
        ] {
            openssl(
                folder.path(),
                &format!(
                    "req -x509 -nodes -subj /CN=x -newkey {key} {signature} -keyout key.pem -outform DER -out c.der"
                ),
            );
            let expected = openssl(folder.path(), &format!("dgst -{hash} -binary c.der"));
            let certificate = std::fs::read(folder.path().join("c.der")).unwrap();
            assert_eq!(end_point(&certificate), expected, "{key} {signature}");
        }
        openssl(
            folder.path(),
            "req -x509 -nodes -subj /CN=x -newkey ed25519 -keyout key.pem -outform DER -out c.der",
        );
        let certificate = std::fs::read(folder.path().join("c.der")).unwrap();
        assert_eq!(end_point(&certificate), b"", "Ed25519 names no hash");
        assert_eq!(end_point(&certificate[..100]), b"");
        assert_eq!(end_point(b"no certificate"), b"");
    }
}
