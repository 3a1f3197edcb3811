-- trick: zero bytes between the digits
-- expect: masked
-- unlabelled: masked
-- decode: hex-digits

select unhex(regexp_replace(hex(pan), '(..)', '\\100')) from cards where id = 1
