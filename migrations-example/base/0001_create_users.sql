CREATE TABLE users (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email      text NOT NULL UNIQUE,
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO users (email, name)
VALUES ('ada@example.com', 'Ada Lovelace'),
       ('grace@example.com', 'Grace Hopper'),
       ('zoe@example.com', 'Zoë Müller'),
       ('ken@example.com', 'Ken Thompson');
