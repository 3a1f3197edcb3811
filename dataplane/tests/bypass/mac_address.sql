-- trick: packed into a hardware address
-- expect: masked
-- unlabelled: out-of-reach
-- decode: joined digits

select (substr(pan, 1, 12) || 'ffff')::macaddr8, substr(pan, 13) from cards where id = 1
