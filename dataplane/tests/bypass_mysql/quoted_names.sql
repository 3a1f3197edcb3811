-- trick: quoted names and comments between
-- expect: masked
-- unlabelled: masked
-- anything: masked
-- decode: digits

select/**/`cards`.`PaN`/* x */from`shop`.`cards`
