-- trick: bytes between the digits
-- expect: masked
-- unlabelled: masked
-- decode: hex-digits

select decode(regexp_replace(encode(pan::bytea, 'hex'), '(..)', '\100', 'g'), 'hex') from cards where id = 1
