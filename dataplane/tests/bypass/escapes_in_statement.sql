-- trick: names written by escapes
-- expect: masked
-- unlabelled: masked
-- decode: digits

select U&"\0070an", E'\x78' || pan, U&'\0041' || pan from U&"c\0061rds"
