-- trick: encrypted and back
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select aes_decrypt(aes_encrypt(pan, 'k'), 'k') from cards
