-- trick: digests to compare with those of all numbers
-- expect: masked
-- unlabelled: out-of-reach
-- decode: same

select md5(pan), sha2(pan, 256), crc32(pan) from cards
