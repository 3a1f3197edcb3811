-- trick: two digits a byte
-- expect: masked
-- unlabelled: out-of-reach
-- decode: hex digits

select decode(pan, 'hex') from cards where id = 1
