//! TLS towards mgmt and the gateway: always verified, against the given CA alone or, without one, the machine's roots.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::outcome::Failure;

/// A client's configuration that trusts `ca`'s certificates and no others, or the machine's where there is none.
pub(crate) fn config(ca: Option<&Path>) -> Result<ClientConfig, Failure> {
    let roots = match ca {
        Some(path) => from_file(path)?,
        None => of_machine()?,
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::CouldNotAsk(format!("cannot set up TLS: {error}")))?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn from_file(path: &Path) -> Result<RootCertStore, Failure> {
    let refuse = |what: &str| Failure::CouldNotAsk(format!("--ca {}: {what}", path.display()));
    let pem = std::fs::read(path).map_err(|error| Failure::unreadable(path, &error))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| refuse("is not PEM"))?;
        roots.add(certificate).map_err(|error| refuse(&error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refuse("holds no certificate"));
    }
    Ok(roots)
}

/// Single certificates of the machine that cannot be read are left out: trusting less is safe.
fn of_machine() -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Failure::CouldNotAsk(
            "this machine has no root certificates: give --ca or set PANGATE_CA".to_owned(),
        ));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_ca_file_that_holds_none_is_refused() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        assert!(config(Some(file.path())).unwrap_err().to_string().contains("holds no certificate"));
        file.write_all(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n").unwrap();
        assert_eq!(config(Some(file.path())).unwrap_err().code(), 3);
        assert_eq!(config(Some(Path::new("/nonexistent.pem"))).unwrap_err().code(), 3);
    }
}
