-- trick: encrypted by a key of the job
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select hex(aes_encrypt(pan, 'k')) from cards
