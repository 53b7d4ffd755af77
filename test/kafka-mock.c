/* kafka-mock.c: the cluster that librdkafka has built in for tests, led by lines of standard input.
 * usage: kafka-mock TOPIC PARTITIONS
 * First it prints the brokers. Then: "down N", "up N" (a broker, from 1); "error CODE COUNT" (so many answers
 * to messages are that error); "read" prints each message as KEY TAB VALUE, and a line with a dot. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BROKERS = 3, PRODUCE = 0 };

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers)
{
    char text[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (brokers) {
        rd_kafka_conf_set(conf, "bootstrap.servers", brokers, text, sizeof text);
        rd_kafka_conf_set(conf, "group.id", "test", text, sizeof text);
        rd_kafka_conf_set(conf, "enable.partition.eof", "true", text, sizeof text);
        rd_kafka_conf_set(conf, "enable.auto.commit", "false", text, sizeof text);
    }
    return rd_kafka_new(type, conf, text, sizeof text);
}

static void show(const char *brokers, const char *topic, int partitions)
{
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, brokers);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(partitions);
    for (int p = 0; p < partitions; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, list);
    for (int ends = 0, silent = 0; ends < partitions && silent < 100;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);
        silent = m ? 0 : silent + 1;
        if (m && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            ends++;
        else if (m && !m->err)
            printf("%.*s\t%.*s\n", (int)m->key_len, m->key ? (const char *)m->key : "", (int)m->len,
                   (const char *)m->payload);
        if (m)
            rd_kafka_message_destroy(m);
    }
    puts(".");
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

int main(int argc, char **argv)
{
    char line[128];
    int a, b;
    if (argc != 3)
        return 2;
    rd_kafka_t *owner = client(RD_KAFKA_PRODUCER, NULL);
    rd_kafka_mock_cluster_t *cluster = rd_kafka_mock_cluster_new(owner, BROKERS);
    rd_kafka_mock_topic_create(cluster, argv[1], atoi(argv[2]), BROKERS);
    puts(rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "down %d", &a) == 1)
            rd_kafka_mock_broker_set_down(cluster, a);
        else if (sscanf(line, "up %d", &a) == 1)
            rd_kafka_mock_broker_set_up(cluster, a);
        else if (sscanf(line, "error %d %d", &a, &b) == 2)
            for (int i = 0; i < b; i++)
                rd_kafka_mock_push_request_errors(cluster, PRODUCE, 1, (rd_kafka_resp_err_t)a);
        if (strcmp(line, "read\n") == 0)
            show(rd_kafka_mock_cluster_bootstraps(cluster), argv[1], atoi(argv[2]));
        else
            puts("done");
        fflush(stdout);
    }
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(owner);
    return 0;
}
